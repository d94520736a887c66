// Function<R(Args...)>: a move-only callable with room for three words inside, for callbacks that own what they
// capture. Bigger captures go to the heap, so the hot path keeps its captures small.
#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#include "base/check.h"

namespace sluice {

template <typename Signature>
class Function;

// Thread: its owner's.
template <typename R, typename... Args>
class Function<R(Args...)> {
 public:
  Function() = default;
  Function(std::nullptr_t) {}
  Function(Function&& other) noexcept { take(other); }
  Function& operator=(Function&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;
  ~Function() { reset(); }

  template <typename F>
    requires(!std::is_same_v<std::decay_t<F>, Function> && std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
  Function(F&& f) {
    using Callable = std::decay_t<F>;
    if constexpr (sizeof(Callable) <= sizeof(space_) && alignof(Callable) <= alignof(void*) &&
                  std::is_nothrow_move_constructible_v<Callable>) {
      new (space_) Callable(std::forward<F>(f));
      call_ = [](void* space, Args... args) -> R {
        return (*std::launder(reinterpret_cast<Callable*>(space)))(std::forward<Args>(args)...);
      };
      if constexpr (!std::is_trivially_copyable_v<Callable>) {
        move_ = [](void* to, void* from) {
          auto* source = std::launder(reinterpret_cast<Callable*>(from));
          if (to != nullptr) {
            new (to) Callable(std::move(*source));
          }
          source->~Callable();
        };
      }
    } else {
      new (space_) Callable*(new Callable(std::forward<F>(f)));
      call_ = [](void* space, Args... args) -> R {
        return (**std::launder(reinterpret_cast<Callable**>(space)))(std::forward<Args>(args)...);
      };
      move_ = [](void* to, void* from) {
        auto* source = std::launder(reinterpret_cast<Callable**>(from));
        if (to != nullptr) {
          new (to) Callable*(*source);
        } else {
          delete *source;
        }
      };
    }
  }

  explicit operator bool() const { return call_ != nullptr; }
  R operator()(Args... args) {
    SLUICE_DCHECK(call_ != nullptr);
    return call_(space_, std::forward<Args>(args)...);
  }

 private:
  void reset() {
    if (move_ != nullptr) {
      move_(nullptr, space_);
    }
    call_ = nullptr;
    move_ = nullptr;
  }
  void take(Function& other) {
    call_ = std::exchange(other.call_, nullptr);
    move_ = std::exchange(other.move_, nullptr);
    if (move_ != nullptr) {
      move_(space_, other.space_);
    } else if (call_ != nullptr) {
      // All of it, also what the callable leaves unused.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
      std::memcpy(space_, other.space_, sizeof(space_));
#pragma GCC diagnostic pop
    }
  }

  R (*call_)(void*, Args...) = nullptr;
  // Null: what is inside is moved as bytes, and needs no end. to == nullptr: destroy only.
  void (*move_)(void* to, void* from) = nullptr;
  alignas(void*) unsigned char space_[3 * sizeof(void*)];
};

}  // namespace sluice
