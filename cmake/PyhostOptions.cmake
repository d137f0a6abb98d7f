# Compiler settings that every target shares.

option(PYHOST_WERROR "Treat warnings as errors" OFF)
option(PYHOST_ASSERTS "Check our own invariants at run time" OFF)
set(PYHOST_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")

# Plugins for several Pythons are built in a folder each, with PYHOST_PART=plugin and PYHOST_PYTHON.
set(PYHOST_PART all CACHE STRING "What to build: all, server (all but the plugin) or plugin")
set_property(CACHE PYHOST_PART PROPERTY STRINGS all server plugin)
if(NOT PYHOST_PART MATCHES "^(all|server|plugin)$")
  message(FATAL_ERROR "PYHOST_PART is ${PYHOST_PART}; all, server or plugin is needed")
endif()
string(COMPARE NOTEQUAL "${PYHOST_PART}" plugin PYHOST_BUILDS_SERVER)
string(COMPARE NOTEQUAL "${PYHOST_PART}" server PYHOST_BUILDS_PLUGIN)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

# What is built together lies together: the module looks for its plugins beside itself.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

add_library(pyhost_options INTERFACE)
target_compile_options(pyhost_options INTERFACE -Wall -Wextra -fno-strict-aliasing)
# As httpd is built.
target_compile_definitions(pyhost_options INTERFACE _REENTRANT _GNU_SOURCE)
# Designated initialisers name what differs from the defaults; the rest is not forgotten.
target_compile_options(pyhost_options INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wno-missing-field-initializers>)
if(CMAKE_BUILD_TYPE STREQUAL Release)
  # What is installed is the same wherever it was built. Debuggers of a build folder want its paths.
  target_compile_options(pyhost_options INTERFACE
    -ffile-prefix-map=${PROJECT_SOURCE_DIR}=. -ffile-prefix-map=${CMAKE_BINARY_DIR}=build)
  # Where much is inlined, the compiler warns of paths that cannot be gone. It says what it sees in the
  # other builds.
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    target_compile_options(pyhost_options INTERFACE
      -Wno-array-bounds -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow
      -Wno-stringop-overread)
  endif()
endif()
if(PYHOST_WERROR)
  target_compile_options(pyhost_options INTERFACE -Werror)
endif()
if(NOT PYHOST_ASSERTS)
  target_compile_definitions(pyhost_options INTERFACE NDEBUG)
else()
  # RelWithDebInfo brings its own -DNDEBUG; asserts are wanted here.
  target_compile_options(pyhost_options INTERFACE -UNDEBUG)
endif()
if(PYHOST_SANITIZE)
  target_compile_options(pyhost_options INTERFACE
    -Wno-maybe-uninitialized -Wno-stringop-overflow -fsanitize=${PYHOST_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(pyhost_options INTERFACE -fsanitize=${PYHOST_SANITIZE})
  # What a program that is not instrumented has to preload before it can load ours.
  string(REGEX MATCH "address|thread" runtime "${PYHOST_SANITIZE}")
  string(REPLACE address asan runtime "${runtime}")
  string(REPLACE thread tsan runtime "${runtime}")
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=lib${runtime}.so
    OUTPUT_VARIABLE PYHOST_SANITIZER_RUNTIME OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
