// FilterChain: the loop that walks the filters of one exchange, and the only one who knows what waits at which filter.
//
//   request:   source -> filter 0 -> filter 1 -> ... -> ChainEnds      (the last filter, the router, takes it)
//   response:  source -> filter n -> ... -> filter 0 -> ChainEnds
//
// Each direction keeps its order whatever filters do: headers before data before trailers, at every filter.
#pragma once

#include <cstdint>
#include <span>

#include "http/message.h"
#include "model/filter_plan.h"
#include "proxy/filter.h"

namespace sluice::proxy {

// What a chain is stretched between: an Exchange, or one try of it with filters of its own. Thread: worker.
class ChainEnds {
 public:
  // All filters have passed it on. (A request only when no filter ends the chain.)
  virtual void request_headers_passed(http::RequestHeaders&, http::End) {}
  virtual void request_data_passed(buffer::Buffer&, http::End) {}
  virtual void request_trailers_passed(http::HeaderMap&) {}
  virtual void response_headers_passed(http::ResponseHeaders& headers, http::End end) = 0;
  virtual void response_data_passed(buffer::Buffer& data, http::End end) = 0;
  virtual void response_trailers_passed(http::HeaderMap& trailers) = 0;
  // A filter keeps what comes in: the source is not to be read (true), or may be again.
  virtual void stop_request(bool stopped) = 0;
  virtual void stop_response(bool stopped) = 0;
  // A body is larger than what a filter collects.
  virtual void request_too_large() = 0;
  virtual void response_too_large() = 0;
  // A filter forgot a paused exchange.
  virtual void filter_gave_up() = 0;
  // Whether events of that direction are of no use to anybody any more.
  virtual bool request_ended() const = 0;
  virtual bool response_ended() const = 0;

 protected:
  ~ChainEnds() = default;
};

// Visits only filters that have the hook of the event. Part of its exchange. Thread: its exchange's.
class FilterChain {
 public:
  FilterChain() = default;
  ~FilterChain() { detach(); }
  FilterChain(const FilterChain&) = delete;
  FilterChain& operator=(const FilterChain&) = delete;

  // Makes the instances of the filters that are in force for the exchange's route, in its arena. `locals` is parallel
  // to `filters`; or empty, when none of them keeps anything on a worker.
  void build(Exchange& exchange, ChainEnds& ends, std::span<const model::FilterPlan> filters,
             std::span<const std::unique_ptr<FilterLocal>> locals);
  bool built() const { return filters_ != nullptr; }

  void request_headers(http::RequestHeaders& headers, http::End end);
  void request_data(buffer::Buffer& data, http::End end);
  void request_trailers(http::HeaderMap& trailers);
  void response_headers(http::ResponseHeaders& headers, http::End end);
  void response_data(buffer::Buffer& data, http::End end);
  void response_trailers(http::HeaderMap& trailers);

  // From a headers hook with End::kYes: the message gets a body, which the filters behind this one see. The filter sees
  // to content-length.
  void add_body(buffer::Buffer&& body);
  // From a data hook with End::kYes: trailers follow, which the filters behind this one see.
  http::HeaderMap& add_trailers();

  // What waits in that direction is forgotten (another response takes its place).
  void drop_response();
  void complete(const format::Facts& facts);

 private:
  friend class Resumer;
  struct Request;  // the two directions, in filter_chain.cc
  struct Response;
  enum class State : uint8_t { kOpen, kPaused, kHolding, kCollecting };
  // What waits at one filter in one direction; in the arena, made when a filter first stops.
  struct Stop;
  struct Entry {
    HttpFilter* filter;
    Stop* stops[2];
    uint8_t hooks;
  };

  template <typename D>
  Entry& entry(uint32_t i);
  template <typename D>
  Stop& stop_at(uint32_t i);
  template <typename D>
  void walk_headers(uint32_t from, http::End end);
  template <typename D>
  void walk_data(uint32_t from, buffer::Buffer& data, http::End end);
  template <typename D>
  void walk_trailers(uint32_t from, http::HeaderMap& trailers);
  template <typename D>
  void keep_data(uint32_t i, Stop& stop, buffer::Buffer& data, http::End end);
  template <typename D>
  void keep_trailers(uint32_t i, Stop& stop, http::HeaderMap& trailers);
  template <typename D>
  void answer_data(uint32_t i, Step step, buffer::Buffer& data, http::End end);
  template <typename D>
  void whole_body(uint32_t i, Stop& stop, http::End end);
  template <typename D>
  bool pause(uint32_t i, Resumer& resumer);
  template <typename D>
  void resume(uint32_t i);
  template <typename D>
  size_t pass(uint32_t i, size_t bytes);
  template <typename D>
  bool pass_held_headers(uint32_t i);
  void resume(Resumer& resumer);
  void detach();

  Exchange* exchange_ = nullptr;
  ChainEnds* ends_ = nullptr;
  Entry* filters_ = nullptr;
  uint32_t size_ = 0;
  uint8_t hooks_ = 0;  // of all filters together
  uint8_t paused_[2] = {0, 0};
  uint32_t response_generation_ = 0;  // walks of a response that was dropped end
  http::RequestHeaders* request_ = nullptr;
  http::ResponseHeaders* response_ = nullptr;
  buffer::Buffer* added_body_ = nullptr;  // by the hook that runs
  http::HeaderMap* added_trailers_ = nullptr;
};

}  // namespace sluice::proxy
