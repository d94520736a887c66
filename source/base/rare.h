// Rare<T>: a part of a plan that hardly any plan sets. It costs a pointer until then, and reads as T's default.
#pragma once

#include <memory>
#include <utility>

namespace sluice {

// Read it like a pointer to const; change it through edit(), which makes room for it. Copies are deep. Thread: as its
// owner (a plan is immutable once it is built).
template <typename T>
class Rare {
 public:
  Rare() = default;
  Rare(const Rare& other) : value_(other.value_ == nullptr ? nullptr : std::make_unique<T>(*other.value_)) {}
  Rare(Rare&&) noexcept = default;
  Rare& operator=(const Rare& other) {
    if (value_ != nullptr || other.value_ != nullptr) value_ = std::move(Rare(other).value_);
    return *this;
  }
  Rare& operator=(Rare&&) noexcept = default;

  // Whether there is more than the default.
  explicit operator bool() const { return value_ != nullptr; }
  const T& operator*() const { return value_ == nullptr ? none() : *value_; }
  const T* operator->() const { return &**this; }
  T& edit() {
    if (value_ == nullptr) value_ = std::make_unique<T>();
    return *value_;
  }
  void clear() { value_.reset(); }

 private:
  static const T& none() {
    static const T kNone{};
    return kNone;
  }

  std::unique_ptr<T> value_;
};

}  // namespace sluice
