# One ctest entry per test binary: starting a binary costs more than most tests in it.
#
# pyhost_unit_test(<name> [LIBRARIES <target>...] [SANITIZE] SOURCES <file>...)
#   A test without a server. SANITIZE puts it among those that scripts/test repeats under the
#   sanitizer presets.

# How tests are compiled takes most of the time that the whole build takes. What they test is optimised, and
# has all that a debugger asks for.
function(pyhost_compile_quickly target)
  target_link_libraries(${target} PRIVATE pyhost_options GTest::gmock GTest::gtest_main)
  target_compile_options(${target} PRIVATE -O0 -g1)
  if(PYHOST_SANITIZE)
    # gcc 12 sees what is not there in strings that a sanitizer watches.
    target_compile_options(${target} PRIVATE -Wno-array-bounds)
  endif()
endfunction()

# What all tests include, compiled once; a program, because it has to be compiled as programs are.
file(WRITE ${CMAKE_BINARY_DIR}/precompiled_for_tests.cpp "")
add_executable(precompiled_for_tests EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/precompiled_for_tests.cpp)
pyhost_compile_quickly(precompiled_for_tests)
target_link_libraries(precompiled_for_tests PRIVATE fmt::fmt)
target_precompile_headers(precompiled_for_tests PRIVATE
  <algorithm> <chrono> <filesystem> <fstream> <functional> <map> <memory> <optional> <string> <string_view>
  <thread> <vector> <fmt/format.h> <gmock/gmock.h> <gtest/gtest.h>)

function(pyhost_test_binary name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  pyhost_compile_quickly(${name})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES})
  target_precompile_headers(${name} REUSE_FROM precompiled_for_tests)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endfunction()

function(pyhost_unit_test name)
  cmake_parse_arguments(arg "SANITIZE" "" "SOURCES;LIBRARIES" ${ARGN})
  pyhost_test_binary(${name} SOURCES ${arg_SOURCES} LIBRARIES ${arg_LIBRARIES})
  add_test(NAME ${name} COMMAND ${name})
  set(labels unit)
  if(arg_SANITIZE)
    list(APPEND labels sanitize)
    pyhost_sanitized(${name})
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT 300)
endfunction()

# What `cmake --build --target sanitized_tests` builds.
add_custom_target(sanitized_tests)
function(pyhost_sanitized target)
  add_dependencies(sanitized_tests ${target})
endfunction()

# pyhost_httpd_test(<name> [LIBRARIES <target>...] [MPMS <mpm>...] [SANITIZE]
#   [DAEMON] [EMBEDDED_ONLY <test>...] SOURCES <file>...)
#   A test that owns a httpd, run once for each MPM (event and prefork unless named) under the
#   ctest label of that MPM. DAEMON runs it once more with every application in a worker process,
#   without the tests of EMBEDDED_ONLY. SANITIZE repeats it for event under AddressSanitizer; ThreadSanitizer
#   cannot tell how httpd, which is not instrumented, synchronises its threads.

function(pyhost_httpd_test name)
  cmake_parse_arguments(arg "SANITIZE;DAEMON" "" "SOURCES;LIBRARIES;MPMS;EMBEDDED_ONLY" ${ARGN})
  if(NOT arg_MPMS)
    set(arg_MPMS event prefork)
  endif()
  pyhost_test_binary(${name} SOURCES ${arg_SOURCES} LIBRARIES test_harness ${arg_LIBRARIES})
  add_dependencies(${name}
    mod_pyhost pyhost_cpython pyhost_lookout_program pyhost_supervisor_program
    pyhost_worker_program)
  foreach(mpm IN LISTS arg_MPMS)
    add_test(NAME ${name}.${mpm} COMMAND ${name})
    set_tests_properties(${name}.${mpm} PROPERTIES
      ENVIRONMENT PYHOST_TEST_MPM=${mpm} LABELS "httpd;${mpm}" TIMEOUT 600)
  endforeach()
  if(arg_DAEMON)
    list(JOIN arg_EMBEDDED_ONLY ":" without)
    add_test(NAME ${name}.daemon COMMAND ${name} --gtest_filter=-${without})
    set_tests_properties(${name}.daemon PROPERTIES
      ENVIRONMENT PYHOST_TEST_PLACE=daemon LABELS "httpd;daemon" TIMEOUT 600)
  endif()
  if(arg_SANITIZE AND PYHOST_SANITIZE MATCHES address)
    set_property(TEST ${name}.event APPEND PROPERTY LABELS sanitize)
    if(arg_DAEMON)
      set_property(TEST ${name}.daemon APPEND PROPERTY LABELS sanitize)
    endif()
    pyhost_sanitized(${name})
  endif()
endfunction()
