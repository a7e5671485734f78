# What `cmake --install` copies: program (CMakeLists.txt), libraries, headers, pkg-config file, man page, completions, the bundled model, the licence.
foreach(variable LIBDIR INCLUDEDIR)
  cmake_path(APPEND T5GIST_PC_${variable} "\${prefix}" "${CMAKE_INSTALL_${variable}}") # an absolute folder stays what it is
endforeach()
set(T5GIST_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}") # relative to the file itself, so that `cmake --install --prefix` and moving the tree work
  file(RELATIVE_PATH T5GIST_PC_PREFIX "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" /prefix)
  set(T5GIST_PC_PREFIX "\${pcfiledir}/${T5GIST_PC_PREFIX}")
endif()
configure_file(cmake/t5gist.pc.in t5gist.pc @ONLY)

install(TARGETS t5gist_static t5gist_shared ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES include/t5gist/t5gist.h include/t5gist/types.h include/t5gist/tools.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/t5gist)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/t5gist.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES docs/t5gist.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES cli/completion/t5gist.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME t5gist)
install(FILES cli/completion/_t5gist DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(DIRECTORY models/mini DESTINATION ${CMAKE_INSTALL_DATADIR}/t5gist/models)
install(DIRECTORY configs DESTINATION ${CMAKE_INSTALL_DATADIR}/t5gist)
install(FILES LICENSE NOTICE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
