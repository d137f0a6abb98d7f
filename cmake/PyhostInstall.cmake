# What is installed, in components, of which packages are made:
#   module   the module, its programs and its configuration
#   plugin   the engine for one Python
#   cli      the command pyhost, its manual pages and completions
#   docs     every document, laid out as in the source, so that links between them lead somewhere

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
# The prefix is known for certain when it is installed.
install(CODE "
  set(PYHOST_MODULES_DIR \"${PYHOST_MODULES_DIR}\")
  cmake_path(ABSOLUTE_PATH PYHOST_MODULES_DIR BASE_DIRECTORY \"\${CMAKE_INSTALL_PREFIX}\")
  configure_file(\"${PROJECT_SOURCE_DIR}/conf/pyhost.load.in\"
    \"${CMAKE_BINARY_DIR}/pyhost.load\" @ONLY)" COMPONENT module)
install(FILES ${CMAKE_BINARY_DIR}/pyhost.load conf/pyhost.conf
  DESTINATION ${PYHOST_MODS_AVAILABLE_DIR} COMPONENT module)

install(TARGETS pyhost RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT cli)
file(GLOB manual_pages CONFIGURE_DEPENDS share/man/*.1)
install(FILES ${manual_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT cli)
install(FILES share/completions/pyhost.bash RENAME pyhost
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT cli OPTIONAL)
install(FILES share/completions/_pyhost
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions COMPONENT cli OPTIONAL)
install(FILES share/completions/pyhost.fish
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT cli OPTIONAL)

install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT docs)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT docs
  PATTERN __pycache__ EXCLUDE)
install(FILES conf/pyhost.conf conf/reference.conf
  DESTINATION ${CMAKE_INSTALL_DOCDIR}/conf COMPONENT docs)
file(GLOB readmes CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} src/*/README.md)
foreach(readme IN LISTS readmes)
  cmake_path(GET readme PARENT_PATH folder)
  install(FILES ${readme} DESTINATION ${CMAKE_INSTALL_DOCDIR}/${folder} COMPONENT docs)
endforeach()
