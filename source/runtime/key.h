// Key: one key of the runtime as the data plane reads it. Fraction, Number, Decimal and Flag: a default with a key.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "runtime/value.h"

namespace sluice::runtime {

// The final value of a key, in words of its own: reading one costs a load of a line that nobody writes. Owned by the
// plans that refer to it. Thread: main writes, any reads.
class Key {
 public:
  void set(const Value* value);  // null: no layer has it

  std::optional<Share> share() const {
    const uint64_t bits = share_.load(std::memory_order_relaxed);
    if (bits == kNone) return std::nullopt;
    return Share{static_cast<uint32_t>(bits >> 32), static_cast<uint32_t>(bits)};
  }
  std::optional<uint64_t> number() const {
    const uint64_t value = number_.load(std::memory_order_relaxed);
    return value == kNone ? std::nullopt : std::optional(value);
  }
  std::optional<double> decimal() const {
    const double value = decimal_.load(std::memory_order_relaxed);
    return std::isnan(value) ? std::nullopt : std::optional(value);
  }
  std::optional<bool> flag() const {
    const int8_t value = flag_.load(std::memory_order_relaxed);
    return value < 0 ? std::nullopt : std::optional(value != 0);
  }

 private:
  static constexpr uint64_t kNone = ~uint64_t{0};

  std::atomic<uint64_t> share_{kNone};  // numerator and denominator
  std::atomic<uint64_t> number_{kNone};
  std::atomic<double> decimal_{std::numeric_limits<double>::quiet_NaN()};
  std::atomic<int8_t> flag_{-1};
};

using KeyPtr = std::shared_ptr<const Key>;

// A default and the key that may say otherwise at any time. Immutable but for what the key says. Thread: any.
struct Fraction {
  uint32_t numerator = 0;
  uint32_t denominator = 100;
  std::string runtime_key;
  KeyPtr key;  // null: no key

  Share now() const {
    const auto set = key == nullptr ? std::nullopt : key->share();
    return set ? *set : Share{numerator, denominator};
  }
  bool includes(uint64_t random) const { return now().includes(random); }
};

// Thread: as Fraction.
struct Number {
  uint64_t fallback = 0;
  KeyPtr key;
  uint64_t now() const { return key == nullptr ? fallback : key->number().value_or(fallback); }
};

// Thread: as Fraction.
struct Decimal {
  double fallback = 0;
  KeyPtr key;
  double now() const { return key == nullptr ? fallback : key->decimal().value_or(fallback); }
};

// Thread: as Fraction.
struct Flag {
  bool fallback = false;
  KeyPtr key;
  bool now() const { return key == nullptr ? fallback : key->flag().value_or(fallback); }
};

}  // namespace sluice::runtime
