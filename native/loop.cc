#include "loop.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace loop {

namespace {

struct Flush {
  int fd;
  int error;
};

// A request that waits in write_queue is finished when it has moved to
// write_completed_queue: what libuv itself does once a request is written.
int finish_writes(uv_stream_t* stream) {
  auto* queue = &stream->write_queue;
  while (queue->next != queue) {
    auto* entry = queue->next;
    auto* request = reinterpret_cast<uv_write_t*>(
        reinterpret_cast<char*>(entry) - offsetof(uv_write_t, queue));
    for (unsigned i = request->write_index; i < request->nbufs; ++i) {
      const uv_buf_t& buffer = request->bufs[i];
      int error = write_all(stream->io_watcher.fd, buffer.base, buffer.len);
      if (error < 0) return error;
    }
    entry->prev->next = entry->next;
    entry->next->prev = entry->prev;
    auto* done = &stream->write_completed_queue;
    entry->prev = done->prev;
    entry->next = done;
    done->prev->next = entry;
    done->prev = entry;
  }
  return 0;
}

bool writes(const uv_handle_t* handle) {
  switch (uv_handle_get_type(handle)) {
    case UV_TCP:
    case UV_TTY:
    case UV_NAMED_PIPE:
      return !uv_is_closing(handle);
    default:
      return false;
  }
}

}  // namespace

std::vector<Handle> handles(uv_loop_t* loop) {
  std::vector<Handle> found;
  uv_walk(
      loop,
      [](uv_handle_t* handle, void* data) {
        uv_os_fd_t fd;
        if (uv_fileno(handle, &fd) != 0) return;
        static_cast<std::vector<Handle>*>(data)->push_back(
            {fd, uv_handle_type_name(uv_handle_get_type(handle))});
      },
      &found);
  return found;
}

int flush(uv_loop_t* loop, int fd) {
  Flush flush = {fd, 0};
  uv_walk(
      loop,
      [](uv_handle_t* handle, void* data) {
        auto* flush = static_cast<Flush*>(data);
        uv_os_fd_t fd;
        if (!writes(handle) || uv_fileno(handle, &fd) != 0 || fd != flush->fd)
          return;
        const int error = finish_writes(reinterpret_cast<uv_stream_t*>(handle));
        if (error < 0) flush->error = error;
      },
      &flush);
  return flush.error;
}

int write_all(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(fd, data, size);
    if (written >= 0) {
      data += written;
      size -= static_cast<size_t>(written);
    } else if (errno == EAGAIN) {
      struct pollfd ready = {fd, POLLOUT, 0};
      if (::poll(&ready, 1, -1) < 0 && errno != EINTR) return -errno;
    } else if (errno != EINTR) {
      return -errno;
    }
  }
  return 0;
}

}  // namespace loop
