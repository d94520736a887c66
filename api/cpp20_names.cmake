# protoc 3.21 does not know the keywords of C++20. A field of such a name (jwt_authn has `requires`) becomes `requires_`,
# as protoc does for the older keywords. Usage: cmake -DFOLDER=generated -P cpp20_names.cmake
#
# Within the serialized descriptors a name follows its length byte (a digit of its escape, or the quote of a new line),
# which is why those are left alone.
file(GLOB_RECURSE files ${FOLDER}/*.pb.h ${FOLDER}/*.pb.cc)
foreach(file ${files})
  file(READ ${file} content)
  set(changed "${content}")
  foreach(keyword requires concept constinit consteval co_await co_return co_yield char8_t)
    string(FIND "${content}" ${keyword} at)
    if(NOT at EQUAL -1)
      string(REGEX REPLACE "([^A-Za-z0-9_\"])${keyword}([^A-Za-z0-9_])" "\\1${keyword}_\\2" changed "${changed}")
    endif()
  endforeach()
  if(NOT changed STREQUAL content)
    file(WRITE ${file} "${changed}")
  endif()
endforeach()
