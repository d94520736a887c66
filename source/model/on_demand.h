// On demand: the way from a request on a worker to what main can get for it by name while it waits: a virtual host
// (VHDS), a cluster (ODCDS).
//
//   worker: Question --ask()--post--> main: asks the control plane, publishes what came
//           on_answer() <-------post------'
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/time.h"
#include "event/loop.h"

namespace sluice::model {

enum class Found : uint8_t { kNo, kYes };

// What one worker waits for. Whoever made it may let it go at any time: then no answer comes. Thread: its maker's.
class Question {
 public:
  // Once. What was found is in force on this thread.
  virtual void on_answer(Found found) = 0;

 protected:
  ~Question() = default;
};

// Where an answer goes. A plain value; its loop outlives it. Thread: any.
class Asker {
 public:
  Asker(event::Loop& loop, std::weak_ptr<Question> question) : loop_(&loop), question_(std::move(question)) {}

  void answer(Found found) {
    loop_->post([question = std::move(question_), found] {
      if (const auto waits = question.lock()) waits->on_answer(found);
    });
  }
  // Nobody waits any more.
  bool gone() const { return question_.expired(); }

 private:
  event::Loop* loop_;
  std::weak_ptr<Question> question_;
};

// Of one route table. Thread: any (immutable).
class HostsOnDemand {
 public:
  explicit HostsOnDemand(Duration longest_wait) : longest_wait_(longest_wait) {}
  virtual ~HostsOnDemand() = default;
  HostsOnDemand(const HostsOnDemand&) = delete;
  HostsOnDemand& operator=(const HostsOnDemand&) = delete;

  // `host`: the authority of a request, in lower case. An answer comes when something came for it, when nothing can, or
  // never: who asks limits the wait.
  virtual void ask(std::string host, Asker asker) const = 0;
  // For a request; 0: without end.
  Duration longest_wait() const { return longest_wait_; }

 private:
  const Duration longest_wait_;
};

struct ConfigSource;

// Of the process. Thread: any.
class ClustersOnDemand {
 public:
  // The answer is yes when this thread has the cluster, no when the source says that there is none.
  virtual void ask(const ConfigSource& source, std::string name, Asker asker) = 0;

 protected:
  ~ClustersOnDemand() = default;
};

}  // namespace sluice::model
