"""Licences of the system's libraries that a frozen program on Linux has inside.

Their packages name the licences of everything in their source, tests and build files included.
These are the licences of the libraries themselves. A library without a row stops the build.
"""

SYSTEM_LICENCES = {
    "libbrotli*": "MIT",
    "libbsd.so*": "BSD-3-Clause",
    "libbz2.so*": "bzip2-1.0.6",
    "libcap.so*": "BSD-3-Clause OR GPL-2.0-only",
    "libcrypto.so*": "Apache-2.0",
    "libdbus-1.so*": "AFL-2.1 OR GPL-2.0-or-later",
    "libexpat.so*": "MIT",
    "libffi.so*": "MIT",
    "libfontconfig.so*": "MIT",
    "libfreetype.so*": "FTL OR GPL-2.0-or-later",
    "libgcc_s.so*": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "libgcrypt.so*": "LGPL-2.1-or-later",
    "libglib-2.0.so*": "LGPL-2.1-or-later",
    "libgomp*": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "libgpg-error.so*": "LGPL-2.1-or-later",
    "libgthread-2.0.so*": "LGPL-2.1-or-later",
    "liblz4.so*": "BSD-2-Clause",
    "liblzma.so*": "0BSD",
    "libmd.so*": "BSD-3-Clause AND BSD-2-Clause AND ISC",
    "libpcre*.so*": "BSD-3-Clause",
    "libpng16.so*": "libpng-2.0",
    "libssl.so*": "Apache-2.0",
    "libstdc++.so*": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "libsystemd.so*": "LGPL-2.1-or-later",
    "libuuid.so*": "BSD-3-Clause",
    "libwayland-*": "MIT",
    "libX*.so*": "MIT",
    "libxcb*": "MIT",
    "libxkbcommon*": "MIT",
    "libz.so*": "Zlib",
    "libzstd.so*": "BSD-3-Clause OR GPL-2.0-only",
}
