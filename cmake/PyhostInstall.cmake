# Where Debian's apache2 looks. A part that is not built is not installed.

set(PYHOST_MODULES_DIR ${HTTPD_MODULES_DIR} CACHE PATH "Where httpd's modules are")
set(PYHOST_MODS_AVAILABLE_DIR /etc/apache2/mods-available CACHE PATH "Where a2enmod looks")

foreach(target mod_pyhost pyhost_cpython)
  if(TARGET ${target})
    install(TARGETS ${target} LIBRARY DESTINATION ${PYHOST_MODULES_DIR})
  endif()
endforeach()
foreach(program worker supervisor lookout)  # beside the module, which looks for them there
  if(TARGET pyhost_${program}_program)
    install(TARGETS pyhost_${program}_program RUNTIME DESTINATION ${PYHOST_MODULES_DIR})
  endif()
endforeach()
if(TARGET pyhost)
  install(TARGETS pyhost RUNTIME DESTINATION ${CMAKE_INSTALL_FULL_BINDIR})
endif()
configure_file(conf/pyhost.load.in pyhost.load @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/pyhost.load conf/pyhost.conf
  DESTINATION ${PYHOST_MODS_AVAILABLE_DIR})
install(FILES conf/reference.conf docs/ARCHITECTURE.md docs/DIRECTIVES.md
  docs/MESSAGES.md docs/MIGRATING.md docs/PROCESS_GROUPS.md docs/PYTHON.md docs/RELIABILITY.md
  docs/SECURITY.md docs/TROUBLESHOOTING.md
  DESTINATION ${CMAKE_INSTALL_FULL_DOCDIR})
