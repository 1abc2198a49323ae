// The addon is built without exceptions and brings no part of libstdc++ along:
// its unwinder would demand a newer glibc than the machines that we serve
// have, and a second copy of its symbols could meet Node's. The functions that
// its headers call when memory runs out, or when a length or an index cannot
// be (_GLIBCXX_ASSERTIONS), are these.
#include <cstdlib>
#include <new>

void* operator new(std::size_t size) {
  void* memory = std::malloc(size != 0 ? size : 1);
  if (memory == nullptr) std::abort();
  return memory;
}

void* operator new[](std::size_t size) { return operator new(size); }

void operator delete(void* memory) noexcept { std::free(memory); }

void operator delete[](void* memory) noexcept { std::free(memory); }

void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace std {

void __throw_length_error(const char*) { std::abort(); }

void __throw_logic_error(const char*) { std::abort(); }

void __throw_out_of_range_fmt(const char*, ...) { std::abort(); }

void __throw_bad_alloc() { std::abort(); }

void __throw_bad_array_new_length() { std::abort(); }

[[noreturn]] void __glibcxx_assert_fail(const char*, int, const char*,
                                        const char*) noexcept {
  std::abort();
}

}  // namespace std
