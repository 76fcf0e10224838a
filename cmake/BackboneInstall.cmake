# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where. DESTDIR and the CMAKE_INSTALL_* folders are obeyed; systemd's own folders
# stand beside the libraries of the prefix, as systemd looks for them in /usr/lib and /usr/local/lib only.

foreach(program backboned backbonectl backbone-devbroker)
	if(TARGET ${program})
		install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
	endif()
endforeach()

# GNUInstallDirs gives /etc only for the prefix /usr; a locally built one keeps its files under /usr/local/etc.
set(BB_CONFDIR ${CMAKE_INSTALL_FULL_SYSCONFDIR}/backbone)
set(BB_EXIT_FINAL "65 78") # damaged bytes; a wrong configuration: a restart changes neither
set(BB_BINDIR ${CMAKE_INSTALL_FULL_BINDIR})
install(FILES ${CMAKE_SOURCE_DIR}/conf/backbone.yaml DESTINATION ${BB_CONFDIR} OPTIONAL)
install(DIRECTORY DESTINATION ${BB_CONFDIR}/connectors)
# One folder a channel; those without a connector in git have no folder in a clone.
foreach(channel pos web social mobile kiosk partner)
	if(EXISTS ${CMAKE_SOURCE_DIR}/connectors/${channel})
		install(DIRECTORY ${CMAKE_SOURCE_DIR}/connectors/${channel}
			DESTINATION ${CMAKE_INSTALL_DATADIR}/backbone/connectors)
	endif()
endforeach()

configure_file(${CMAKE_SOURCE_DIR}/systemd/backbone.service.in ${CMAKE_BINARY_DIR}/systemd/backbone.service @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/systemd/backbone.service ${CMAKE_SOURCE_DIR}/systemd/backbone.socket
	${CMAKE_SOURCE_DIR}/systemd/backbone-admin.socket DESTINATION lib/systemd/system)
install(FILES ${CMAKE_SOURCE_DIR}/systemd/sysusers.conf DESTINATION lib/sysusers.d RENAME backbone.conf)
install(FILES ${CMAKE_SOURCE_DIR}/systemd/tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME backbone.conf)

file(GLOB bb_man1 CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/man/*.1)
file(GLOB bb_man5 CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/man/*.5)
file(GLOB bb_man8 CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/man/*.8)
foreach(section 1 5 8)
	if(bb_man${section})
		install(FILES ${bb_man${section}} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
	endif()
endforeach()
# As in the repository, so that the links between them lead somewhere.
file(GLOB bb_docs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/LICENSE ${CMAKE_SOURCE_DIR}/*.md)
install(FILES ${bb_docs} DESTINATION ${CMAKE_INSTALL_DOCDIR})
file(GLOB bb_manual CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/*.md)
install(FILES ${bb_manual} DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)
