# Language level, warnings, sanitizers and ccache: the same for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)

set(SLUICE_SANITIZE "" CACHE STRING "Sanitizers for every target, e.g. address,undefined or thread")
option(SLUICE_TESTS "Build the tests" ON)
option(SLUICE_FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(SLUICE_STATIC "Link everything but OpenSSL and glibc statically" OFF)

find_program(SLUICE_CCACHE ccache)
if(SLUICE_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${SLUICE_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SLUICE_CCACHE})
endif()

# Flags of our own code only: generated code does not get the warnings.
add_library(sluice_warnings INTERFACE)
target_compile_options(sluice_warnings INTERFACE -Wall -Wextra -Werror -Wnon-virtual-dtor -Woverloaded-virtual
                       -Wno-missing-field-initializers $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  # Frame pointers cost 2 % of the codec's time (gdb does without, perf wants --call-graph dwarf), functions that do not
  # begin on a cache line 3 %.
  add_compile_options(-fomit-frame-pointer -falign-functions=64 -fno-plt -ffunction-sections -fdata-sections)
  add_link_options(-Wl,--gc-sections)
else()
  add_compile_options(-fno-omit-frame-pointer)
endif()
if(SLUICE_SANITIZE)
  add_compile_options(-fsanitize=${SLUICE_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SLUICE_SANITIZE})
  # g++ 12 with sanitizers sees uninitialised members in variants and lists, also those of its <regex> (its bug 105562).
  target_compile_options(sluice_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()
if(SLUICE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
