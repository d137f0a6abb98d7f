# cmake -DPROJECT_FOLDER=<folder> -P build_id.cmake: the build id of a copy of the tree changes with
# what crosses a border, and with nothing else.
cmake_minimum_required(VERSION 3.23)
include(${PROJECT_FOLDER}/cmake/PyhostBuildId.cmake)

execute_process(COMMAND mktemp -d OUTPUT_VARIABLE copy OUTPUT_STRIP_TRAILING_WHITESPACE
  COMMAND_ERROR_IS_FATAL ANY)
file(COPY ${PROJECT_FOLDER}/include ${PROJECT_FOLDER}/src DESTINATION ${copy})
pyhost_contract_digest(${copy} original files)

# Whether the digest is another one with `before` replaced by `after` in `file`.
function(try_change expected file before after)
  file(READ ${copy}/${file} text)
  string(FIND "${text}" "${before}" at)
  string(REPLACE "${before}" "${after}" changed "${text}")
  file(WRITE ${copy}/${file} "${changed}")
  pyhost_contract_digest(${copy} digest files)
  file(WRITE ${copy}/${file} "${text}")
  if(at EQUAL -1)
    message(SEND_ERROR "${file} has no '${before}' any more")
  elseif(expected STREQUAL changes AND digest STREQUAL original)
    message(SEND_ERROR "the build id does not tell that ${file} has '${after}' for '${before}'")
  elseif(expected STREQUAL stays AND NOT digest STREQUAL original)
    message(SEND_ERROR "the build id need not change with '${after}' for '${before}' in ${file}")
  endif()
endfunction()

try_change(changes src/scoreboard/scoreboard_memory.h "Word<std::uint32_t> waiting;"
  "Word<std::uint64_t> waiting;")
try_change(changes src/appmetrics/layout.h "kHashShift = 32" "kHashShift = 24")
try_change(changes src/wire/messages.cpp "writer.number(message.capacity)" "writer.flag(true)")
try_change(changes src/wire/frame.h "retry, " "retry2,")
try_change(changes src/control/worker_settings.cpp "\"socket_timeout_ms\"" "\"timeout_ms\"")
try_change(changes include/pyhost/gateway/engine.h "int optimize = 0" "long optimize = 0")
try_change(changes include/pyhost/gateway/environ_keys.def "REQUEST_METHOD" "REQUEST_VERB")
try_change(changes include/pyhost/base/messages.def "PH_MESSAGE(0001," "PH_MESSAGE(0002,")
try_change(changes src/settings/process_group_options.def "\"listen-backlog\"" "\"backlog\"")
try_change(changes src/settings/process_group_options.def ".unit = " ".unit = 2 * ")
try_change(changes src/settings/process_group.h "unsigned queue = 100" "unsigned queue = 50")

try_change(stays src/settings/process_group_options.def "The user whose rights the workers have"
  "Whose rights the workers have")
try_change(stays src/settings/directives.def "Runs the application in a script file"
  "Runs a script file's application")
try_change(stays src/settings/directives.def "{" "{ .name = \"WSGINew\", ")
try_change(stays src/settings/settings.h "std::optional<bool> script_reloading;"
  "std::optional<bool> script_reloading, renewed;")
try_change(stays include/pyhost/base/messages.def "Python could not be started in this process"
  "this process cannot start Python")
try_change(stays src/apache/hooks.cpp "namespace pyhost" " namespace pyhost")

file(REMOVE_RECURSE ${copy})
