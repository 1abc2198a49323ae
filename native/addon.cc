// What JavaScript sees of native/posix/, by the same names.
#include "js.h"
#include "posix/credentials.h"
#include "posix/descriptors.h"
#include "posix/limits.h"
#include "posix/locks.h"
#include "posix/log_sender.h"
#include "posix/notify.h"
#include "posix/notify_socket.h"
#include "posix/pidfd.h"
#include "posix/process.h"
#include "posix/session.h"
#include "posix/signals.h"
#include "posix/sockets.h"
#include "posix/syslog.h"
#include "posix/users.h"

// native/fork_border.cc
void expose_fork(Napi::Env env, Napi::Object exports);
// native/spawn_border.cc
void expose_spawn(Napi::Object exports);

// native/log_border.cc
void expose_log(Napi::Env env, Napi::Object exports);
// native/tell_border.cc
void expose_tell(Napi::Env env, Napi::Object exports);
// native/watch_border.cc
void expose_watch(Napi::Env env, Napi::Object exports);

namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  using js::expose;

  expose<posix::getpid>(exports, "getpid");
  expose<posix::getppid>(exports, "getppid");
  expose<posix::getpgid>(exports, "getpgid");
  expose<posix::setpgid>(exports, "setpgid");
  expose<posix::getsid>(exports, "getsid");
  expose<posix::setsid>(exports, "setsid");

  expose<posix::dup2>(exports, "dup2");
  expose<posix::close>(exports, "close");
  expose<posix::closefrom_but_logs>(exports, "closefrom");
  expose<posix::flock>(exports, "flock");
  expose<posix::set_cloexec>(exports, "setCloexec");
  expose<posix::pipe>(exports, "pipe");

  expose<posix::lock_range>(exports, "lockRange");
  expose<posix::unlock_range>(exports, "unlockRange");
  expose<posix::find_lock>(exports, "findLock");

  expose<posix::disposition>(exports, "disposition");
  expose<posix::signal>(exports, "signal");
  expose<posix::sigrtmin>(exports, "sigrtmin");

  expose<posix::getrlimit>(exports, "getrlimit");
  expose<posix::setrlimit>(exports, "setrlimit");

  expose<posix::getsockname>(exports, "getsockname");

  expose<posix::openlog>(exports, "openlog");
  expose<posix::syslog_lines>(exports, "syslog");
  expose<posix::setlogmask>(exports, "setlogmask");
  expose<posix::closelog>(exports, "closelog");

  expose<posix::notify>(exports, "notify");
  expose<posix::open_notify_socket>(exports, "openNotifySocket");
  expose<posix::receive_notification>(exports, "receiveNotification");

  expose<posix::pidfd_open>(exports, "pidfdOpen");
  expose<posix::pidfd_send_signal>(exports, "pidfdSendSignal");
  expose<posix::boottime>(exports, "boottime");

  expose<posix::umask>(exports, "umask");
  expose<posix::chroot>(exports, "chroot");
  expose<posix::waitpid>(exports, "waitpid");
  expose<posix::execvp>(exports, "execvp");
  expose<posix::set_subreaper>(exports, "setSubreaper");
  expose<posix::_exit>(exports, "_exit");

  expose<posix::getpwnam>(exports, "getpwnam");
  expose<posix::getpwuid>(exports, "getpwuid");
  expose<posix::getgrnam>(exports, "getgrnam");
  expose<posix::getgrouplist>(exports, "getgrouplist");

  expose<posix::setgroups>(exports, "setgroups");
  expose<posix::setresgid>(exports, "setresgid");
  expose<posix::setresuid>(exports, "setresuid");
  expose<posix::open_proc>(exports, "openProc");
  expose<posix::thread_statuses>(exports, "threadStatuses");
  expose<posix::drop_capabilities>(exports, "dropCapabilities");
  expose<posix::set_dumpable>(exports, "setDumpable");

  expose_spawn(exports);
  expose_fork(env, exports);
  expose_log(env, exports);
  expose_tell(env, exports);
  expose_watch(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(posix_daemonize, init)
