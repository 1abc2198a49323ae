// Waiting in the event loop until a descriptor can be read.
#include <uv.h>

#include "js.h"

namespace {

struct Watch {
  uv_poll_t poll;
  Napi::FunctionReference callback;
  Napi::AsyncContext context;
  napi_async_cleanup_hook_handle hook;
};

// The loop lets go of the handle some time after it was told to.
void end(Watch* watch) {
  uv_close(reinterpret_cast<uv_handle_t*>(&watch->poll),
           [](uv_handle_t* handle) {
             Watch* watch = static_cast<Watch*>(handle->data);
             napi_remove_async_cleanup_hook(watch->hook);
             delete watch;
           });
}

// A Worker that is ended closes what it has in its loop, or Node aborts.
void end_with_environment(napi_async_cleanup_hook_handle, void* data) {
  Watch* watch = static_cast<Watch*>(data);
  if (!uv_is_closing(reinterpret_cast<uv_handle_t*>(&watch->poll))) end(watch);
}

void tell(uv_poll_t* poll, int status, int) {
  Watch* watch = static_cast<Watch*>(poll->data);
  uv_poll_stop(poll);
  const Napi::Env env = watch->callback.Env();
  const Napi::HandleScope scope(env);
  watch->callback.MakeCallback(env.Global(), {Napi::Number::New(env, status)},
                               watch->context);
}

Napi::Value unwatch(const Napi::CallbackInfo& info) {
  end(static_cast<Watch*>(info.Data()));
  return info.Env().Undefined();
}

// (fd, callback): calls back once, with 0 or a negated errno. Returns a negated
// errno, or the function that ends it, to be called once.
Napi::Value watch_readable(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  auto* watch = new Watch{
      {},
      Napi::Persistent(info[1].As<Napi::Function>()),
      Napi::AsyncContext(env, "posix-daemonize:watch"),
      nullptr,
  };
  const int fd = info[0].As<Napi::Number>().Int32Value();
  const int wrong = uv_poll_init(loop, &watch->poll, fd);
  if (wrong < 0) {
    delete watch;
    return Napi::Number::New(env, wrong);
  }
  watch->poll.data = watch;
  napi_add_async_cleanup_hook(env, end_with_environment, watch, &watch->hook);
  const int started = uv_poll_start(&watch->poll, UV_READABLE, tell);
  if (started < 0) {
    end(watch);
    return Napi::Number::New(env, started);
  }
  return Napi::Function::New(env, unwatch, "unwatch", watch);
}

}  // namespace

void expose_watch(Napi::Env env, Napi::Object exports) {
  exports.Set("watchReadable",
              Napi::Function::New(env, watch_readable, "watchReadable"));
}
