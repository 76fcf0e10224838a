# SPDX-License-Identifier: Apache-2.0
# Compiler settings, libraries of the system, and the functions that CMakeLists.txt is made of.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(BB_TESTS "Build the tests" ON)
option(BB_FUZZ "Build the fuzz targets with libFuzzer (clang)" OFF)
set(BB_SANITIZE "" CACHE STRING "Value for -fsanitize=, e.g. address,undefined")
option(BB_COVERAGE "Instrument for coverage" OFF)

if(NOT CMAKE_BUILD_TYPE)
	set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g")

add_compile_definitions(_GNU_SOURCE BB_VERSION="${PROJECT_VERSION}")
add_compile_options(-Wall -Wextra -Werror -Wvla -Wshadow -Wpointer-arith -Wundef -Wformat=2 -fno-common
	$<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes> $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>)
if(BB_SANITIZE)
	add_compile_options(-fsanitize=${BB_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
	add_link_options(-fsanitize=${BB_SANITIZE})
else()
	add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection)
	add_compile_definitions($<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
endif()
if(BB_COVERAGE)
	add_compile_options(--coverage)
	add_link_options(--coverage)
endif()
add_link_options(-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)

find_package(PkgConfig REQUIRED)
foreach(pair yaml:yaml-0.1 sodium:libsodium utf8proc:libutf8proc pcre2:libpcre2-8 xxhash:libxxhash lmdb:lmdb
	jansson:jansson rdkafka:rdkafka uv:libuv microhttpd:libmicrohttpd)
	string(REPLACE ":" ";" pair ${pair})
	list(GET pair 0 target)
	list(GET pair 1 module)
	pkg_check_modules(${target} REQUIRED IMPORTED_TARGET GLOBAL ${module})
endforeach()

# bb_library(name folder [LINK libs of ours] [PRIVATE libs of the system]): a static library bb_<name> of the
# folder's sources. A folder without sources gives an empty interface library.
function(bb_library name folder)
	cmake_parse_arguments(arg "" "" "LINK;PRIVATE" ${ARGN})
	file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.c ${CMAKE_SOURCE_DIR}/${folder}/*.cc)
	list(FILTER sources EXCLUDE REGEX "/main[^/]*\\.c$")
	if(sources)
		add_library(bb_${name} STATIC ${sources})
		target_include_directories(bb_${name} PUBLIC ${CMAKE_SOURCE_DIR}/include PRIVATE ${CMAKE_SOURCE_DIR}/${folder})
		target_link_libraries(bb_${name} PUBLIC ${arg_LINK} PRIVATE ${arg_PRIVATE})
	else()
		add_library(bb_${name} INTERFACE)
		target_include_directories(bb_${name} INTERFACE ${CMAKE_SOURCE_DIR}/include)
		target_link_libraries(bb_${name} INTERFACE ${arg_LINK})
	endif()
endfunction()
