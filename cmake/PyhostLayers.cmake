# One target per folder of src/, seeing only the headers of the layers it names.
#
# pyhost_layer(<folder> [NAME <name>] [COLD] [USES <layer>...] [LIBRARIES <target>...]
#   SOURCES <file>... [ALONE <file>...])
#   NAME    of a part of the folder that uses less than the rest: the target is pyhost_<name>
#   COLD    none of it runs for a request: it is optimised only as far as that costs little time
#   ALONE   of the sources, those that no other is compiled together with
#
# The headers of a folder are reached as "<folder>/x.h" through an include root of its own under the
# build directory; the contracts of base and gateway, in include/pyhost/, as "pyhost/<folder>/x.h". A
# layer that is not named in USES has no include root on the command line, so including it does not
# compile.

function(pyhost_include_root folder)
  set(root ${CMAKE_BINARY_DIR}/include_roots/${folder})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/src/${folder} ${root}/${folder} SYMBOLIC)
  if(EXISTS ${PROJECT_SOURCE_DIR}/include/pyhost/${folder})
    file(MAKE_DIRECTORY ${root}/pyhost)
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/include/pyhost/${folder} ${root}/pyhost/${folder} SYMBOLIC)
  endif()
endfunction()

# What most sources include, compiled once. Only where sources are compiled together: elsewhere each
# has to include what it uses.
function(pyhost_precompile name)
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/precompiled.cpp)
  target_compile_options(${name} PRIVATE ${ARGN})
  target_link_libraries(${name} PRIVATE pyhost_options fmt::fmt tl::expected)
  target_precompile_headers(${name} PRIVATE
    <algorithm> <atomic> <chrono> <functional> <map> <memory> <mutex> <optional> <string>
    <string_view> <vector> <fmt/format.h> <tl/expected.hpp>)
endfunction()

# A compiler takes only what was compiled as it compiles itself.
set(pyhost_cold_options "")
if(CMAKE_BUILD_TYPE STREQUAL Release)
  set(pyhost_cold_options -O1)
endif()
if(CMAKE_UNITY_BUILD)
  file(WRITE ${CMAKE_BINARY_DIR}/precompiled.cpp "")
  pyhost_precompile(pyhost_precompiled)
  pyhost_precompile(pyhost_precompiled_cold ${pyhost_cold_options})
endif()

function(pyhost_layer folder)
  cmake_parse_arguments(arg "COLD" "NAME" "USES;LIBRARIES;SOURCES;ALONE" ${ARGN})
  set(target pyhost_${folder})
  if(arg_NAME)
    set(target pyhost_${arg_NAME})
  endif()
  set_source_files_properties(${arg_ALONE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  add_library(${target} STATIC ${arg_SOURCES})
  set(precompiled pyhost_precompiled)
  if(arg_COLD)
    set(precompiled pyhost_precompiled_cold)
    target_compile_options(${target} PRIVATE ${pyhost_cold_options})
  endif()
  pyhost_include_root(${folder})
  target_include_directories(${target} PUBLIC ${CMAKE_BINARY_DIR}/include_roots/${folder})
  set_target_properties(${target} PROPERTIES ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
  target_link_libraries(${target} PUBLIC pyhost_options fmt::fmt tl::expected Threads::Threads
    ${arg_LIBRARIES})
  foreach(layer IN LISTS arg_USES)
    target_link_libraries(${target} PUBLIC pyhost_${layer})
  endforeach()
  if(CMAKE_UNITY_BUILD AND NOT "${arg_SOURCES}" MATCHES "\\.c(;|$)")  # C has no use for them
    target_precompile_headers(${target} REUSE_FROM ${precompiled})
  endif()
endfunction()
