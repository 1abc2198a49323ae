// What JavaScript sees of native/posix/spawn.h: the program is an object.
#include "js.h"
#include "posix/spawn.h"

namespace js {

template <>
struct From<posix::Program> {
  static posix::Program value(Napi::Value from) {
    const Napi::Object object = from.As<Napi::Object>();
    return {get<std::string>(object, "file"),
            get<std::vector<std::string>>(object, "argv"),
            get<std::vector<std::string>>(object, "env"),
            get<std::string>(object, "cwd"),
            get<int>(object, "umask"),
            get<std::vector<int>>(object, "fds"),
            get<int>(object, "group"),
            get<int>(object, "deathSignal")};
  }

 private:
  template <typename T>
  static T get(const Napi::Object& object, const char* name) {
    return From<T>::value(object.Get(name));
  }
};

}  // namespace js

void expose_spawn(Napi::Object exports) {
  js::expose<posix::spawn>(exports, "spawn");
}
