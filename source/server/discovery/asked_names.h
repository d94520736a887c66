// AskedNames: what requests made a control plane be asked for, by name, and who waits for it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "event/loop.h"
#include "model/on_demand.h"

namespace sluice::server {

// Clients choose the names, so there is a limit: so many that nothing came for are kept. When they are full, those
// that nobody waits for are forgotten after a while; until then what is not known is said not to be there. Owned by
// whoever has the subscription. Thread: main.
class AskedNames {
 public:
  static constexpr size_t kMost = 1000;
  static constexpr size_t kLongest = 1024;  // bytes of a name
  static constexpr Duration kKept = std::chrono::minutes(1);

  explicit AskedNames(event::Loop& loop) : loop_(loop) {}
  // Who still waits is told no.
  ~AskedNames();
  AskedNames(const AskedNames&) = delete;
  AskedNames& operator=(const AskedNames&) = delete;

  enum class Asked : uint8_t {
    kFirst,    // the control plane is to be asked
    kAgain,    // it was asked, and has not answered
    kBefore,   // it was asked, and has answered
    kRefused,  // it is not to be asked: what the name looks like, or the limit
  };
  Asked ask(std::string_view name);
  // After kFirst, kAgain or kBefore: `asker` is told by the next answer().
  void wait(std::string_view name, model::Asker asker);
  // Something came for the name, or nothing. Of a name that nobody asked for, nothing is kept.
  void answer(std::string_view name, model::Found found);

  bool knows(std::string_view name) const { return names_.find(name) != names_.end(); }
  std::set<std::string, std::less<>> names() const;

 private:
  struct One {
    std::vector<model::Asker> waiting;
    bool answered = false;
    uint64_t missing = 0;  // its number in missing_; 0: it is there
    MonotonicTime since{};  // when it began to be missing
  };
  using Names = std::map<std::string, One, std::less<>>;

  // It waits for what is not there: the first of those that are forgotten when there are too many.
  void miss(Names::iterator one);
  bool make_room();

  event::Loop& loop_;
  Names names_;
  std::map<uint64_t, Names::iterator> missing_;  // in the order in which they were asked for
  uint64_t last_ = 0;
};

}  // namespace sluice::server
