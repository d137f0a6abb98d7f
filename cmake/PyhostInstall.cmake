# What is installed, in components, of which packages are made:
#   module   the module, its programs and its configuration
#   plugin   the engine for one Python
#   cli      the command pyhost, its manual pages and completions
#   source   what `pyhost build-plugin` builds the plugin of another Python from
#   python   what Django projects import
#   docs     every document, laid out as in the source, so that links between them lead somewhere

# A file that names where others are installed: the prefix is known for certain when they are.
function(pyhost_install_with_paths template destination component)
  cmake_path(GET template STEM LAST_ONLY name)
  set(file ${CMAKE_BINARY_DIR}/${name})
  install(CODE "
    set(PYHOST_MODULES_DIR \"${PYHOST_MODULES_DIR}\")
    set(PYHOST_BINDIR \"${CMAKE_INSTALL_BINDIR}\")
    cmake_path(ABSOLUTE_PATH PYHOST_MODULES_DIR BASE_DIRECTORY \"\${CMAKE_INSTALL_PREFIX}\")
    cmake_path(ABSOLUTE_PATH PYHOST_BINDIR BASE_DIRECTORY \"\${CMAKE_INSTALL_PREFIX}\")
    configure_file(\"${PROJECT_SOURCE_DIR}/${template}\" \"${file}\" @ONLY)"
    COMPONENT ${component})
  install(FILES ${file} DESTINATION ${destination} COMPONENT ${component})
endfunction()

if(PYHOST_BUILDS_PLUGIN)
  install(TARGETS pyhost_cpython LIBRARY DESTINATION ${PYHOST_MODULES_DIR} COMPONENT plugin)
endif()
if(NOT PYHOST_BUILDS_SERVER)
  return()
endif()

install(TARGETS mod_pyhost LIBRARY DESTINATION ${PYHOST_MODULES_DIR} COMPONENT module)
foreach(program worker supervisor lookout)  # beside the module, which looks for them there
  install(TARGETS pyhost_${program}_program
    RUNTIME DESTINATION ${PYHOST_MODULES_DIR} COMPONENT module)
endforeach()
pyhost_install_with_paths(conf/pyhost.load.in ${PYHOST_MODS_AVAILABLE_DIR} module)
install(FILES conf/pyhost.conf DESTINATION ${PYHOST_MODS_AVAILABLE_DIR} COMPONENT module)

install(TARGETS pyhost RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT cli)
pyhost_install_with_paths(packaging/systemd/pyhost@.service.in lib/systemd/system cli)
file(GLOB manual_pages CONFIGURE_DEPENDS share/man/*.1)
install(FILES ${manual_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT cli)
install(FILES share/completions/pyhost.bash RENAME pyhost
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT cli OPTIONAL)
install(FILES share/completions/_pyhost
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions COMPONENT cli OPTIONAL)
install(FILES share/completions/pyhost.fish
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT cli OPTIONAL)

install(FILES CMakeLists.txt DESTINATION ${CMAKE_INSTALL_DATADIR}/pyhost/source COMPONENT source)
install(DIRECTORY cmake include src DESTINATION ${CMAKE_INSTALL_DATADIR}/pyhost/source
  COMPONENT source)

install(DIRECTORY python/ DESTINATION ${PYHOST_PYTHON_DIR} COMPONENT python
  PATTERN __pycache__ EXCLUDE)

install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT docs)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT docs
  PATTERN __pycache__ EXCLUDE)
file(GLOB linked CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} src/*/README.md)
list(APPEND linked conf/pyhost.conf conf/reference.conf
  conf/observing/pyhost-alerts.yml conf/observing/pyhost-grafana.json packaging/systemd/apache2-pyhost.conf
  packaging/container/Containerfile)
foreach(file IN LISTS linked)
  cmake_path(GET file PARENT_PATH folder)
  install(FILES ${file} DESTINATION ${CMAKE_INSTALL_DOCDIR}/${folder} COMPONENT docs)
endforeach()
