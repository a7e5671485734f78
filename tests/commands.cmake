# The command line, a CTest test per class of tests/cli/test_cli.py, so that they run side by side.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
foreach(class Help Usage Models Texts Yaml Output Json Lines Batch Eval Store Signals)
  t5gist_add_test(cli.${class} cli ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/cli/test_cli.py ${class})
  set_property(TEST cli.${class} APPEND PROPERTY ENVIRONMENT "T5GIST=$<TARGET_FILE:t5gist>" "PYTHONDONTWRITEBYTECODE=1")
endforeach()

# Surroundings that nobody wished for, and how the program was built.
foreach(class Variables Locales Streams Disks Memory Numbers Reader Build)
  t5gist_add_test(cli.surroundings.${class} cli ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/cli/test_surroundings.py ${class})
  set_property(TEST cli.surroundings.${class} APPEND PROPERTY ENVIRONMENT "T5GIST=$<TARGET_FILE:t5gist>" "PYTHONDONTWRITEBYTECODE=1" "T5GIST_SANITIZE=${T5GIST_SANITIZE}"
    "T5GIST_LIBRARIES=$<TARGET_FILE:t5gist_static>:$<TARGET_FILE:t5gist_shared>"
    "T5GIST_COMMANDS=${CMAKE_BINARY_DIR}/compile_commands.json" "T5GIST_FORTIFY=$<$<CONFIG:Release>:${fortify}>")
endforeach()

# Training as scripts see it; class Processes is skipped where the program has no MPI.
foreach(class Runs Interrupted Killed Refused Processes)
  t5gist_add_test(cli.train.${class} "cli;training" ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/cli/test_train.py ${class})
  set_property(TEST cli.train.${class} APPEND PROPERTY ENVIRONMENT "T5GIST=$<TARGET_FILE:t5gist>" "PYTHONDONTWRITEBYTECODE=1" "T5GIST_SANITIZE=${T5GIST_SANITIZE}" "T5GIST_MPIRUN=${MPIEXEC_EXECUTABLE}")
  set_tests_properties(cli.train.${class} PROPERTIES SKIP_RETURN_CODE 77)
endforeach()

# The corpus of the bundled model.
t5gist_add_test(training.corpus training ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/training/test_corpus.py)
set_property(TEST training.corpus APPEND PROPERTY ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")

# The scripts that measure the bundled model.
t5gist_add_test(training.mini training ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/training/test_mini.py)
set_property(TEST training.mini APPEND PROPERTY ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")

# The runner that measures beside other engines, with engines that pretend.
t5gist_add_test(benchmarks.peers benchmarks ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/benchmarks/test_peers.py)
set_property(TEST benchmarks.peers APPEND PROPERTY ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")
