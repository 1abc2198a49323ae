// The border to JavaScript: makes a JavaScript function of a plain C++ one,
// by its signature. Only files of this border include <napi.h>.
#pragma once

#include <napi.h>

#include <array>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace js {

// From JavaScript. A value of another type leaves an exception pending.
template <typename T>
struct From;

template <>
struct From<int> {
  static int value(Napi::Value from) {
    return from.As<Napi::Number>().Int32Value();
  }
};

template <>
struct From<unsigned> {
  static unsigned value(Napi::Value from) {
    return from.As<Napi::Number>().Uint32Value();
  }
};

template <>
struct From<double> {
  static double value(Napi::Value from) {
    return from.As<Napi::Number>().DoubleValue();
  }
};

template <>
struct From<std::string> {
  static std::string value(Napi::Value from) {
    return from.As<Napi::String>().Utf8Value();
  }
};

template <typename T>
struct From<std::vector<T>> {
  static std::vector<T> value(Napi::Value from) {
    const Napi::Array array = from.As<Napi::Array>();
    const uint32_t length = array.Length();
    std::vector<T> values;
    values.reserve(length);
    for (uint32_t i = 0; i < length; i++)
      values.push_back(From<T>::value(array.Get(i)));
    return values;
  }
};

// To JavaScript.
inline Napi::Value to(Napi::Env env, double value) {
  return Napi::Number::New(env, value);
}

inline Napi::Value to(Napi::Env env, const std::string& value) {
  return Napi::String::New(env, value);
}

template <typename T>
Napi::Value to(Napi::Env env, const std::vector<T>& values) {
  Napi::Array array = Napi::Array::New(env, values.size());
  for (size_t i = 0; i < values.size(); i++)
    array.Set(static_cast<uint32_t>(i), to(env, values[i]));
  return array;
}

template <typename... T>
Napi::Value to(Napi::Env env, const std::tuple<T...>& values) {
  Napi::Array array = Napi::Array::New(env, sizeof...(T));
  uint32_t i = 0;
  std::apply([&](const T&... value) { (array.Set(i++, to(env, value)), ...); },
             values);
  return array;
}

template <typename T, size_t length>
Napi::Value to(Napi::Env env, const std::array<T, length>& values) {
  Napi::Array array = Napi::Array::New(env, length);
  for (size_t i = 0; i < length; i++)
    array.Set(static_cast<uint32_t>(i), to(env, values[i]));
  return array;
}

template <auto function, typename Signature = decltype(function)>
struct Bound;

template <auto function, typename Result, typename... Parameters>
struct Bound<function, Result (*)(Parameters...) noexcept> {
  static Napi::Value call(const Napi::CallbackInfo& info) {
    return call(info, std::index_sequence_for<Parameters...>());
  }

 private:
  template <size_t... index>
  static Napi::Value call(const Napi::CallbackInfo& info,
                          std::index_sequence<index...>) {
    const Napi::Env env = info.Env();
    const std::tuple<std::decay_t<Parameters>...> arguments{
        From<std::decay_t<Parameters>>::value(info[index])...};
    if (env.IsExceptionPending()) return Napi::Value();
    if constexpr (std::is_void_v<Result>) {
      std::apply(function, arguments);
      return env.Undefined();
    } else {
      return to(env, std::apply(function, arguments));
    }
  }
};

// Gives `exports` the function `name`: expose<posix::dup2>(exports, "dup2").
template <auto function>
void expose(Napi::Object exports, const char* name) {
  exports.Set(name,
              Napi::Function::New<&Bound<function>::call>(exports.Env(), name));
}

}  // namespace js
