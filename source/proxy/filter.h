// HttpFilter: THE extension point. A filter overrides the hooks that it needs; hooks it does not override cost nothing.
//
// Requests pass the filters in the order of the configuration, responses in the reverse order. The last filter (the
// router) takes the request and answers it. docs/writing_a_filter.md is a walk-through.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>

#include "buffer/buffer.h"
#include "format/facts.h"
#include "http/message.h"
#include "model/filter_plan.h"
#include "stats/stats.h"

namespace sluice::model {
class ClustersOnDemand;
}
namespace sluice::upstream {
class ClusterSet;
struct WorkerLocal;
}  // namespace sluice::upstream

namespace sluice::proxy {

class Exchange;
class FilterChain;
class LogSinks;

// The right to let a paused exchange go on; a member of the filter that paused it. Safe in every order: nothing happens
// when the exchange has ended meanwhile, resuming before the hook has returned means that it never paused, and
// destroying a resumer that somebody waits for answers 500 (filter_gave_up): a request is never left hanging.
// Thread: its exchange's.
class Resumer {
 public:
  Resumer() = default;
  ~Resumer() { abandon(); }
  Resumer(const Resumer&) = delete;
  Resumer& operator=(const Resumer&) = delete;

  // The event goes to the next filter, then what has come since, from this filter on.
  void resume();
  // Of the data at which it paused, at most `bytes` go to the next filter now, the rest waits on. Returns the rest: at
  // 0 resume() lets the end of the message and more data come.
  size_t pass(size_t bytes);
  bool waiting() const { return state_ == State::kArmed || state_ == State::kPaused; }

 private:
  friend class FilterChain;
  friend class Step;
  enum class State : uint8_t {
    kIdle,
    kArmed,    // the hook has not returned yet
    kResumed,  // and was resumed before it did
    kPaused,
  };
  void abandon();

  State state_ = State::kIdle;
  uint8_t direction_ = 0;
  uint32_t filter_ = 0;
  FilterChain* chain_ = nullptr;  // of kPaused
};

// What a hook says about the event it was given.
//
//   from a hook      headers                                     data or trailers
//   next()           the next filter sees it                     the same; held headers go first
//   pause(resumer)   nothing passes this filter until resume():  the same
//                    data is kept, and reading stops
//   hold()           data still comes to this filter; the        it is this filter's: it goes no further
//                    headers wait for its answer to it
//   collect(limit)   data is kept until the body is whole, then  the same, with this event as its first part
//                    on_..._data() sees it once, with End::kYes
//                    (kNo when trailers follow). Over `limit`
//                    bytes: 413, or 500 for a response
//
// Headers that end their message are not held or collected: there is nothing to wait for. Thread: any.
class [[nodiscard]] Step {
 public:
  static Step next() { return Step(What::kNext); }
  static Step pause(Resumer& resumer) {
    resumer.state_ = Resumer::State::kArmed;
    Step step(What::kPause);
    step.resumer_ = &resumer;
    return step;
  }
  static Step hold() { return Step(What::kHold); }
  static Step collect(uint64_t limit) {
    Step step(What::kCollect);
    step.limit_ = limit;
    return step;
  }
  // It goes no further: for the filter that ends the chain. Exchange::reply() returns it too.
  static Step taken() { return Step(What::kTaken); }

 private:
  friend class FilterChain;
  enum class What : uint8_t { kNext, kTaken, kPause, kHold, kCollect };
  explicit Step(What what) : what_(what) {}

  What what_;
  union {
    Resumer* resumer_ = nullptr;
    uint64_t limit_;
  };
};

// Lives in the arena of its exchange. Thread: its exchange's.
class HttpFilter {
 public:
  virtual ~HttpFilter() = default;
  virtual Step on_request_headers(Exchange&, http::RequestHeaders&, http::End) { return Step::next(); }
  virtual Step on_request_data(Exchange&, buffer::Buffer&, http::End) { return Step::next(); }
  virtual Step on_request_trailers(Exchange&, http::HeaderMap&) { return Step::next(); }
  virtual Step on_response_headers(Exchange&, http::ResponseHeaders&, http::End) { return Step::next(); }
  virtual Step on_response_data(Exchange&, buffer::Buffer&, http::End) { return Step::next(); }
  virtual Step on_response_trailers(Exchange&, http::HeaderMap&) { return Step::next(); }
  // Exactly once, when the exchange ends, however it ends.
  virtual void on_complete(Exchange&, const format::Facts&) noexcept {}
};

// Which hooks a filter type overrides, as bits.
enum Hook : uint8_t {
  kRequestHeaders = 1,
  kRequestData = 2,
  kRequestTrailers = 4,
  kResponseHeaders = 8,
  kResponseData = 16,
  kResponseTrailers = 32,
  kComplete = 64,
};

// Computed at compile time: a hook that T does not override still has HttpFilter's type.
template <typename T>
constexpr uint8_t hooks_of() {
  uint8_t hooks = 0;
  if (!std::is_same_v<decltype(&T::on_request_headers), decltype(&HttpFilter::on_request_headers)>)
    hooks |= kRequestHeaders;
  if (!std::is_same_v<decltype(&T::on_request_data), decltype(&HttpFilter::on_request_data)>) hooks |= kRequestData;
  if (!std::is_same_v<decltype(&T::on_request_trailers), decltype(&HttpFilter::on_request_trailers)>)
    hooks |= kRequestTrailers;
  if (!std::is_same_v<decltype(&T::on_response_headers), decltype(&HttpFilter::on_response_headers)>)
    hooks |= kResponseHeaders;
  if (!std::is_same_v<decltype(&T::on_response_data), decltype(&HttpFilter::on_response_data)>) hooks |= kResponseData;
  if (!std::is_same_v<decltype(&T::on_response_trailers), decltype(&HttpFilter::on_response_trailers)>)
    hooks |= kResponseTrailers;
  if (!std::is_same_v<decltype(&T::on_complete), decltype(&HttpFilter::on_complete)>) hooks |= kComplete;
  return hooks;
}

// Where a filter stands on one worker: what it may build its FilterLocal from. Thread: worker.
struct FilterPlace {
  upstream::WorkerLocal& local;
  upstream::ClusterSet& clusters;
  std::string_view stat_prefix;  // of its connection manager: "http.ingress."
  stats::BlockId stats;          // the manager's own below that: single stats that are made below it go with it
  model::ClustersOnDemand* clusters_on_demand = nullptr;  // null: there is no control plane (a dry run)
  LogSinks* log_sinks = nullptr;                          // as in ProxyLocal
};

// What a filter keeps on one worker for all exchanges of one connection manager, as its stats. Owned by the HttpServer,
// which outlives the exchanges. Thread: worker.
class FilterLocal {
 public:
  virtual ~FilterLocal() = default;
};

// A filter's compiled configuration that makes its instances. Immutable, shared by all workers. Thread: any.
class HttpFilterFactory : public model::FilterConfig {
 public:
  // Null for a filter that keeps nothing.
  virtual std::unique_ptr<FilterLocal> on_worker(const FilterPlace&) const { return nullptr; }
  // In exchange.arena(). `local` is what on_worker() gave.
  virtual HttpFilter* create(Exchange& exchange, FilterLocal* local) const = 0;
  virtual uint8_t hooks() const = 0;
};

}  // namespace sluice::proxy
