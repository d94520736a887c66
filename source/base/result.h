// Result<T>: a value or an Error, for cold and expected failures (configuration, start-up, system calls).
// The data path uses small enums instead; broken invariants of our own are CHECKs (base/check.h).
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace sluice {

// Says in one sentence what went wrong, for a person. Thread: any.
struct Error {
  std::string text;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    SLUICE_CHECK(ok());
    return std::get<0>(state_);
  }
  const T& value() const& {
    SLUICE_CHECK(ok());
    return std::get<0>(state_);
  }
  // Of a temporary: `auto socket = *network.bind(...)` moves it out.
  T&& value() && {
    SLUICE_CHECK(ok());
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const std::string& error() const {
    SLUICE_CHECK(!ok());
    return std::get<1>(state_).text;
  }

 private:
  std::variant<T, Error> state_;
};

// A Result without a value.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : failed_(true), error_(std::move(error)) {}

  bool ok() const { return !failed_; }
  explicit operator bool() const { return ok(); }
  const std::string& error() const { return error_.text; }

 private:
  bool failed_ = false;
  Error error_;
};

}  // namespace sluice
