// FilterState: named objects that filters leave for others during an exchange or a connection. Every object is a text
// and the name of its factory; what reads it knows what the text means.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/advanced/well_known_filter_state
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// Thread: its owner's.
class FilterState {
 public:
  // Whether connections to an upstream that are made for the exchange carry it on.
  enum class Shared : uint8_t { kNone, kOnce, kTransitive };
  // Of objects that are shown in their typed form alone, which is their text.
  struct Object {
    std::string key;
    std::string factory;  // "envoy.string"
    std::string text;
    std::string json;  // how TYPED shows it; empty: as `text`, in quotes
    bool read_only = false;
    Shared shared = Shared::kNone;
  };

  // An exchange sees what its connection has, too.
  void set_parent(const FilterState* parent) { parent_ = parent; }

  const Object* find(std::string_view key) const {
    for (const Object& object : objects_) {
      if (object.key == key) return &object;
    }
    return parent_ == nullptr ? nullptr : parent_->find(key);
  }
  // False when an object of that name is there and is read-only.
  bool set(Object object) {
    for (Object& old : objects_) {
      if (old.key != object.key) continue;
      if (old.read_only) return false;
      old = std::move(object);
      return true;
    }
    objects_.push_back(std::move(object));
    return true;
  }
  const std::vector<Object>& objects() const { return objects_; }

 private:
  const FilterState* parent_ = nullptr;
  std::vector<Object> objects_;
};

}  // namespace sluice
