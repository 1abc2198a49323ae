// Builds the addon into prebuilds/, the very file that the package ships.
//
// usage: build-native.mjs [CPU [LIBC]]
//
// Without arguments it is for this machine. Debian's g++-aarch64-linux-gnu
// builds for arm64, and musl-tools for musl.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildEnvironment } from './headers.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const kernelNames = { arm64: 'aarch64', x64: 'x86_64' };
const ownLibc = process.report.getReport().header.glibcVersionRuntime
  ? 'glibc'
  : 'musl';

const [cpu = process.arch, libc = ownLibc] = process.argv.slice(2);

const scratch = mkdtempSync(join(tmpdir(), 'build-native-'));
try {
  const { status } = spawnSync(
    join(root, 'node_modules/.bin/prebuildify'),
    [
      '--napi',
      '--strip',
      `--tag-libc=${libc}`,
      `--arch=${cpu}`,
      `--target=${process.versions.node}`,
    ],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...buildEnvironment(), ...tools() },
    },
  );
  process.exitCode = status ?? 1;
} finally {
  rmSync(scratch, { recursive: true });
}

/** What is not this machine's own. */
function tools() {
  const kernelName = kernelNames[cpu];
  const prefix = cpu === process.arch ? '' : `${kernelName}-linux-gnu-`;
  const cxx = `${prefix}g++`;
  return {
    GYP_DEFINES: `cpu=${kernelName} libc=${libc}`,
    ...(prefix && {
      CC: `${prefix}gcc`,
      CXX: cxx,
      AR: `${prefix}ar`,
      PREBUILD_STRIP_BIN: `${prefix}strip`,
    }),
    ...(libc !== ownLibc && { CXX: muslCompiler(cxx, kernelName) }),
  };
}

/** g++ called as musl-gcc calls gcc, with the headers of C++ and the kernel. */
function muslCompiler(cxx, kernelName) {
  const ask = (question) => execFileSync(cxx, [question]).toString().trim();
  const version = ask('-dumpversion');
  const machine = ask('-dumpmachine');
  // The kernel's headers alone: glibc's lie in the same folders.
  for (const [name, folder] of [
    ['asm', machine],
    ['asm-generic', ''],
    ['linux', ''],
  ]) {
    symlinkSync(join('/usr/include', folder, name), join(scratch, name));
  }
  return [
    cxx,
    `-specs /usr/lib/${kernelName}-linux-musl/musl-gcc.specs`,
    `-isystem /usr/include/c++/${version}`,
    `-isystem /usr/include/${machine}/c++/${version}`,
    `-isystem /usr/include/${kernelName}-linux-musl`,
    `-isystem ${scratch}`,
    `-include ${join(root, 'scripts/musl/libstdcxx.h')}`,
  ].join(' ');
}
