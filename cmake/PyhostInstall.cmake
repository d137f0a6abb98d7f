# Where Debian's apache2 looks.

set(PYHOST_MODULES_DIR ${HTTPD_MODULES_DIR} CACHE PATH "Where httpd's modules are")
set(PYHOST_MODS_AVAILABLE_DIR /etc/apache2/mods-available CACHE PATH "Where a2enmod looks")

install(TARGETS mod_pyhost pyhost_plugin LIBRARY DESTINATION ${PYHOST_MODULES_DIR})
install(TARGETS pyhost RUNTIME DESTINATION ${CMAKE_INSTALL_FULL_BINDIR})
configure_file(conf/pyhost.load.in pyhost.load @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/pyhost.load conf/pyhost.conf DESTINATION ${PYHOST_MODS_AVAILABLE_DIR})
install(FILES conf/reference.conf DESTINATION ${CMAKE_INSTALL_FULL_DOCDIR})
