// Task<T>: a coroutine that somebody awaits. What a client or an origin of a case does in order, with waits between, is
// written down in order.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace sluice::player {

template <typename T>
class Task;

// What all promises share: who goes on when this one is done.
struct TaskPromise {
  struct Final {
    bool await_ready() noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
      const std::coroutine_handle<> next = self.promise().next;
      return next ? next : std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };
  std::suspend_always initial_suspend() noexcept { return {}; }
  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() { std::terminate(); }
  std::coroutine_handle<> next;
};

template <typename T>
struct ValuePromise : TaskPromise {
  Task<T> get_return_object();
  void return_value(T result) { value = std::move(result); }
  T take() { return std::move(*value); }
  std::optional<T> value;
};

template <>
struct ValuePromise<void> : TaskPromise {
  Task<void> get_return_object();
  void return_void() {}
  void take() {}
};

// Owns its coroutine: destroying a Task ends whatever it was waiting for. Starts when it is awaited. Thread: the
// simulation's.
template <typename T>
class [[nodiscard]] Task {
 public:
  using promise_type = ValuePromise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) {
      handle_.destroy();
    }
  }

  bool done() const { return handle_.done(); }
  // Runs it to its first wait, with nobody to go on afterwards.
  void start() { handle_.resume(); }
  T take() { return handle_.promise().take(); }

  bool await_ready() noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle_.promise().next = awaiting;
    return handle_;
  }
  T await_resume() { return handle_.promise().take(); }

 private:
  Handle handle_;
};

template <typename T>
Task<T> ValuePromise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<ValuePromise<T>>::from_promise(*this));
}
inline Task<void> ValuePromise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<ValuePromise<void>>::from_promise(*this));
}

// g++ 12 destroys temporaries of a co_await expression twice now and then. So what a Task takes needs no destructor, or
// is a reference that binds to no temporary; the compiler says where that is forgotten.
template <typename T>
inline constexpr bool kSafeArgument =
    std::is_lvalue_reference_v<T> ? !std::is_const_v<std::remove_reference_t<T>> : std::is_trivially_copyable_v<T>;

}  // namespace sluice::player

template <typename T, typename... Args>
struct std::coroutine_traits<sluice::player::Task<T>, Args...> {
  static_assert((sluice::player::kSafeArgument<Args> && ...));
  using promise_type = sluice::player::ValuePromise<T>;
};
