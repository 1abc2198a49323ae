{
  "variables": {
    # The libc that the addon is built for: a room of forkall/ for each.
    "libc%": "<!(node -p \"process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl'\")",
    # Node's name of the CPU to ours (the kernel's).
    "cpu%": "<!(node -p \"({x64: 'x86_64', arm64: 'aarch64'})[process.arch] || 'unsupported'\")"
  },
  "targets": [{
    "target_name": "posix_daemonize",
    "sources": [
      "native/addon.cc",
      "native/fork_border.cc",
      "native/inherited.cc",
      "native/log_border.cc",
      "native/loop.cc",
      "native/no_exceptions.cc",
      "native/watch_border.cc",
      "native/spawn_border.cc",
      "native/tell_border.cc",
      "<!@(ls native/posix/*.cc native/forkall/*.cc)",
      "native/forkall/arch/<(cpu).cc",
      "native/forkall/libc/<(libc).cc"
    ],
    "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")", "native"],
    "defines": [
      "NAPI_VERSION=8",
      "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS",
      "NODE_ADDON_API_DISABLE_DEPRECATED",
      # Checked containers. And std::string comes from the headers then, not
      # from libstdc++, which has exceptions: see native/no_exceptions.cc.
      "_GLIBCXX_ASSERTIONS"
    ],
    "cflags": ["-Wall", "-Wextra", "-Werror", "-fvisibility=hidden", "-O2"],
    "cflags_cc": ["-std=c++17"],
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++14", "-std=gnu++20"],
    "cflags!": ["-Wno-unused-parameter"],
    # A root-run daemon must not depend on which libstdc++ a machine has.
    "ldflags": [
      "-static-libstdc++",
      "-static-libgcc",
      # No symbol may be looked up while threads are stopped: see forkall/.
      "-Wl,-z,now",
      # Threads and handlers of it outlive a Worker that alone has loaded it.
      "-Wl,-z,nodelete",
      "-Wl,--version-script=<(module_root_dir)/native/exports.map"
    ]
  }]
}
