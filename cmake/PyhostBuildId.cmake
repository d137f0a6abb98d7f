# The build id: the version, and a digest of all that crosses a border between two programs, or
# between a program and its plugin. Programs of different ids read nothing of each other but the id.
#
# What counts:
#   - the contracts in include/pyhost, and what of src/gateway both sides of them compute,
#   - the frames, the scoreboard, the memory of application metrics and the messages (src/wire,
#     src/scoreboard, src/appmetrics, src/control), with how they write texts and values
#     (src/base/json_text, src/base/parse),
#   - the compiler and its sanitizers, for module and plugin share C++ types.
# The options of process groups travel as texts, and those that have their defaults do not: so their
# members and defaults count (settings/process_group.h, process_group_members.h, named_values.h), and of their table
# the lines that say how a text is read. What is said to people does not: descriptions of options,
# directives, texts of messages, documents. Another one of those leaves the programs compatible, and
# compiles only what has changed.

set(pyhost_contract_globs
  include/pyhost/*.h include/pyhost/*.def src/gateway/*.cpp src/wire/*.h src/wire/*.cpp
  src/scoreboard/*.h src/scoreboard/*.cpp src/appmetrics/*.h src/appmetrics/*.cpp
  src/control/*.h src/control/*.cpp src/base/json_text.*
  src/base/parse.* src/settings/named_values.h src/settings/process_group.h
  src/settings/process_group_members.h)
# Of these files what matches.
set(pyhost_contract_parts
  src/settings/process_group_options.def "\\.(key|member|unit|separator) = .*"
  src/settings/process_group_options_of_life.def "\\.(key|member|unit|separator) = .*"
  src/settings/process_group_options_of_sockets.def "\\.(key|member|unit|separator) = .*"
  include/pyhost/base/messages.def "PH_MESSAGE\\([0-9]+, [a-z_0-9]+")

# The digest of the tree at `root`, and the files that it was made of.
function(pyhost_contract_digest root digest_variable files_variable)
  list(TRANSFORM pyhost_contract_globs PREPEND ${root}/ OUTPUT_VARIABLE globs)
  if(CMAKE_SCRIPT_MODE_FILE)
    file(GLOB_RECURSE files ${globs})
  else()
    file(GLOB_RECURSE files CONFIGURE_DEPENDS ${globs})
  endif()
  list(SORT files)
  set(text "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} ${PYHOST_SANITIZE}")
  set(parts ${pyhost_contract_parts})
  while(parts)
    list(POP_FRONT parts file pattern)
    list(REMOVE_ITEM files ${root}/${file})
    file(STRINGS ${root}/${file} lines REGEX "${pattern}")
    foreach(line IN LISTS lines)
      string(REGEX MATCH "${pattern}" part "${line}")
      string(APPEND text " ${part}")
    endforeach()
    list(APPEND part_files ${root}/${file})
  endwhile()
  foreach(file IN LISTS files)
    file(MD5 ${file} digest)
    string(APPEND text " ${digest}")
  endforeach()
  string(MD5 digest "${text}")
  string(SUBSTRING ${digest} 0 12 digest)
  set(${digest_variable} ${digest} PARENT_SCOPE)
  set(${files_variable} ${files} ${part_files} PARENT_SCOPE)
endfunction()

if(NOT CMAKE_SCRIPT_MODE_FILE)
  pyhost_contract_digest(${PROJECT_SOURCE_DIR} contract_digest contract_files)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${contract_files})
  set(PYHOST_BUILD_ID "${PROJECT_VERSION}-${contract_digest}")
endif()
