# Compiler settings that every target shares.

option(PYHOST_WERROR "Treat warnings as errors" OFF)
option(PYHOST_ASSERTS "Check our own invariants at run time" OFF)
set(PYHOST_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")

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
    -O1 -Wno-maybe-uninitialized -Wno-stringop-overflow -fsanitize=${PYHOST_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(pyhost_options INTERFACE -fsanitize=${PYHOST_SANITIZE})
  # What a program that is not instrumented has to preload before it can load ours.
  string(REGEX MATCH "address|thread" runtime "${PYHOST_SANITIZE}")
  string(REPLACE address asan runtime "${runtime}")
  string(REPLACE thread tsan runtime "${runtime}")
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=lib${runtime}.so
    OUTPUT_VARIABLE PYHOST_SANITIZER_RUNTIME OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
