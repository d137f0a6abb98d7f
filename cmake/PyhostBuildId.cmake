# Host and plugin share C++ types, so they must come from one configuration of one source tree. The
# processes share frames, memory and messages.

file(GLOB_RECURSE contract_files CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/include/pyhost/*
  ${PROJECT_SOURCE_DIR}/src/gateway/*
  ${PROJECT_SOURCE_DIR}/src/control/*
  ${PROJECT_SOURCE_DIR}/src/settings/*
  ${PROJECT_SOURCE_DIR}/src/scoreboard/*
  ${PROJECT_SOURCE_DIR}/src/wire/*)
list(SORT contract_files)
set(contract_text "${PROJECT_VERSION} ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} ${PYHOST_SANITIZE}")
foreach(file IN LISTS contract_files)
  file(MD5 ${file} digest)
  string(APPEND contract_text " ${digest}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
endforeach()
string(MD5 contract_digest "${contract_text}")
string(SUBSTRING ${contract_digest} 0 12 contract_digest)
set(PYHOST_BUILD_ID "${PROJECT_VERSION}-${contract_digest}")
