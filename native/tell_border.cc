// A word from a Worker to the JavaScript of the main thread, which alone gets
// signals.
#include <uv.h>

#include "js.h"
#include "posix/log_locked.h"

namespace {

uv_once_t once = UV_ONCE_INIT;
uv_mutex_t naming;
napi_threadsafe_function main_thread = nullptr;

void initialize() {
  if (uv_mutex_init(&naming) != 0) abort();
}

void forget(napi_env, void*, void*) {
  const posix::Locked lock(naming);
  main_thread = nullptr;
}

// (callback): in the main thread; called for each tell_main_thread(), soon. It
// keeps no event loop running. Without memory it is not called.
void listen(const Napi::CallbackInfo& info) {
  uv_once(&once, initialize);
  const Napi::Env env = info.Env();
  const posix::Locked lock(naming);
  napi_threadsafe_function made;
  if (napi_create_threadsafe_function(
          env, info[0], nullptr, Napi::String::New(env, "posix-daemonize:tell"),
          0, 1, nullptr, forget, nullptr, nullptr, &made) != napi_ok)
    return;
  napi_unref_threadsafe_function(env, made);
  main_thread = made;
}

// Where the main thread has not loaded this, nobody hears it.
void tell(const Napi::CallbackInfo&) {
  uv_once(&once, initialize);
  const posix::Locked lock(naming);
  if (main_thread != nullptr)
    napi_call_threadsafe_function(main_thread, nullptr, napi_tsfn_nonblocking);
}

}  // namespace

void expose_tell(Napi::Env env, Napi::Object exports) {
  exports.Set("listenToWorkers", Napi::Function::New<listen>(env));
  exports.Set("tellMainThread", Napi::Function::New<tell>(env));
}
