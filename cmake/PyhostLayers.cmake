# One target per folder of src/, seeing only the headers of the layers it names.
#
# pyhost_layer(<folder> [USES <layer>...] [LIBRARIES <target>...] SOURCES <file>...)
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

function(pyhost_layer folder)
  cmake_parse_arguments(arg "" "" "USES;LIBRARIES;SOURCES" ${ARGN})
  add_library(pyhost_${folder} STATIC ${arg_SOURCES})
  pyhost_include_root(${folder})
  target_include_directories(pyhost_${folder} PUBLIC ${CMAKE_BINARY_DIR}/include_roots/${folder})
  set_target_properties(pyhost_${folder} PROPERTIES ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
  target_link_libraries(pyhost_${folder} PUBLIC pyhost_options fmt::fmt tl::expected Threads::Threads
    ${arg_LIBRARIES})
  foreach(layer IN LISTS arg_USES)
    target_link_libraries(pyhost_${folder} PUBLIC pyhost_${layer})
  endforeach()
endfunction()
