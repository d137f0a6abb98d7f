# Where what is built is installed. A folder that begins with / is httpd's own and stays where it is; a
# relative one is below the prefix, as everything else is, which `cmake --install --prefix` takes.

set(PYHOST_MODULES_DIR "${HTTPD_MODULES_DIR}" CACHE STRING
  "Where the module, its programs and its plugins go: httpd's modules")
set(PYHOST_MODS_AVAILABLE_DIR /etc/apache2/mods-available CACHE STRING "Where a2enmod looks")
set(PYHOST_PYTHON_DIR share/pyhost/python CACHE STRING "Where pyhost_django goes, for sys.path")
if(NOT PYHOST_MODULES_DIR)
  message(FATAL_ERROR "-DPYHOST_MODULES_DIR= is needed: the folder that mod_pyhost.so is in")
endif()

# As the command pyhost finds it from where it is itself.
set(PYHOST_MODULES_FROM_BINDIR "${PYHOST_MODULES_DIR}")
if(NOT IS_ABSOLUTE "${PYHOST_MODULES_DIR}")
  file(RELATIVE_PATH PYHOST_MODULES_FROM_BINDIR
    ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_PREFIX}/${PYHOST_MODULES_DIR})
endif()
