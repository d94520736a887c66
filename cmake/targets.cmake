# The three functions every folder uses.

# sluice_library(NAME DEPS a b): all *.cc of this folder (and of the folders in SUBDIRS) as one library.
function(sluice_library name)
  cmake_parse_arguments(arg "" "" "DEPS;SUBDIRS" ${ARGN})
  set(patterns ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  foreach(dir ${arg_SUBDIRS})
    list(APPEND patterns ${CMAKE_CURRENT_SOURCE_DIR}/${dir}/*.cc)
  endforeach()
  file(GLOB sources CONFIGURE_DEPENDS ${patterns})
  if(sources)
    add_library(sluice_${name} STATIC ${sources})
    target_include_directories(sluice_${name} PUBLIC ${CMAKE_SOURCE_DIR}/source ${CMAKE_SOURCE_DIR})
    target_link_libraries(sluice_${name} PUBLIC ${arg_DEPS} PRIVATE sluice_warnings)
  else()
    add_library(sluice_${name} INTERFACE)
    target_include_directories(sluice_${name} INTERFACE ${CMAKE_SOURCE_DIR}/source ${CMAKE_SOURCE_DIR})
    target_link_libraries(sluice_${name} INTERFACE ${arg_DEPS})
  endif()
endfunction()

# Tests are optimised little: they build faster, and g++ 12 does not see overflows in its own std::string (its bug
# 105329).
add_library(sluice_test_warnings INTERFACE)
target_link_libraries(sluice_test_warnings INTERFACE sluice_warnings)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(sluice_test_warnings INTERFACE -O1 -Wno-stringop-overflow -Wno-restrict -Wno-array-bounds)
endif()

# sluice_tests(NAME DEPS a b): all *_test.cc of this folder as one gtest executable, NAME_test in ctest.
function(sluice_tests name)
  cmake_parse_arguments(arg "" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_test ${sources})
  target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR}/source ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name}_test PRIVATE ${arg_DEPS} GTest::gtest_main GTest::gmock sluice_test_warnings)
  add_test(NAME ${name} COMMAND ${name}_test WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()

# sluice_fuzzer(NAME SOURCE DEPS a b): a libFuzzer target; without clang the same file is built with a small
# main that runs the committed corpus in test/fuzz/corpus/NAME, so the corpus is a regression test everywhere.
function(sluice_fuzzer name source)
  cmake_parse_arguments(arg "" "" "DEPS" ${ARGN})
  if(SLUICE_FUZZ)
    add_executable(${name}_fuzzer ${source})
    target_link_options(${name}_fuzzer PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name}_fuzzer ${source} ${CMAKE_SOURCE_DIR}/test/fuzz/corpus_main.cc)
    add_test(NAME fuzz_corpus_${name}
             COMMAND ${name}_fuzzer ${CMAKE_SOURCE_DIR}/test/fuzz/corpus/${name})
  endif()
  target_include_directories(${name}_fuzzer PRIVATE ${CMAKE_SOURCE_DIR}/source ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name}_fuzzer PRIVATE ${arg_DEPS} sluice_test_warnings)
endfunction()
