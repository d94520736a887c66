#include "proxy/filter_chain.h"

#include <utility>

#include "base/check.h"
#include "proxy/exchange.h"

namespace sluice::proxy {

using buffer::Buffer;
using http::End;

struct FilterChain::Stop {
  explicit Stop(buffer::SlabPool& slabs) : seen(slabs), waiting(slabs) {}

  State state = State::kOpen;
  bool headers_held = false;
  End headers_end = End::kNo;
  End seen_end = End::kNo;
  End waiting_end = End::kNo;
  bool trailers_seen = false;
  Buffer seen;     // of the event at which the filter paused: goes on behind it
  Buffer waiting;  // came later: goes on with this filter
  http::HeaderMap* trailers = nullptr;
  uint64_t limit = 0;
  Resumer* resumer = nullptr;
};

// What the walks must know of a direction.
struct FilterChain::Request {
  static constexpr int kIndex = 0;
  static constexpr uint8_t kHeaders = kRequestHeaders, kData = kRequestData, kTrailers = kRequestTrailers;
  static uint32_t place(uint32_t i, uint32_t) { return i; }
  static Step headers(HttpFilter& filter, Exchange& exchange, FilterChain& chain, End end) {
    return filter.on_request_headers(exchange, *chain.request_, end);
  }
  static Step data(HttpFilter& filter, Exchange& exchange, Buffer& data, End end) {
    return filter.on_request_data(exchange, data, end);
  }
  static Step trailers(HttpFilter& filter, Exchange& exchange, http::HeaderMap& trailers) {
    return filter.on_request_trailers(exchange, trailers);
  }
  static void pass(FilterChain& chain, End end) { chain.ends_->request_headers_passed(*chain.request_, end); }
  static void pass(FilterChain& chain, Buffer& data, End end) { chain.ends_->request_data_passed(data, end); }
  static void pass(FilterChain& chain, http::HeaderMap& trailers) { chain.ends_->request_trailers_passed(trailers); }
  static void stop(ChainEnds& ends, bool stopped) { ends.stop_request(stopped); }
  static void too_large(ChainEnds& ends) { ends.request_too_large(); }
  static uint32_t generation(const FilterChain&) { return 0; }
  static bool ended(const FilterChain& chain, uint32_t) { return chain.ends_->request_ended(); }
};

struct FilterChain::Response {
  static constexpr int kIndex = 1;
  static constexpr uint8_t kHeaders = kResponseHeaders, kData = kResponseData, kTrailers = kResponseTrailers;
  static uint32_t place(uint32_t i, uint32_t size) { return size - 1 - i; }
  static Step headers(HttpFilter& filter, Exchange& exchange, FilterChain& chain, End end) {
    return filter.on_response_headers(exchange, *chain.response_, end);
  }
  static Step data(HttpFilter& filter, Exchange& exchange, Buffer& data, End end) {
    return filter.on_response_data(exchange, data, end);
  }
  static Step trailers(HttpFilter& filter, Exchange& exchange, http::HeaderMap& trailers) {
    return filter.on_response_trailers(exchange, trailers);
  }
  static void pass(FilterChain& chain, End end) { chain.ends_->response_headers_passed(*chain.response_, end); }
  static void pass(FilterChain& chain, Buffer& data, End end) { chain.ends_->response_data_passed(data, end); }
  static void pass(FilterChain& chain, http::HeaderMap& trailers) { chain.ends_->response_trailers_passed(trailers); }
  static void stop(ChainEnds& ends, bool stopped) { ends.stop_response(stopped); }
  static void too_large(ChainEnds& ends) { ends.response_too_large(); }
  static uint32_t generation(const FilterChain& chain) { return chain.response_generation_; }
  static bool ended(const FilterChain& chain, uint32_t generation) {
    return chain.ends_->response_ended() || chain.response_generation_ != generation;
  }
};

// ---- making

void FilterChain::build(Exchange& exchange, ChainEnds& ends, std::span<const model::FilterPlan> filters,
                        std::span<const std::unique_ptr<FilterLocal>> locals) {
  exchange_ = &exchange;
  ends_ = &ends;
  filters_ = static_cast<Entry*>(exchange.arena().allocate(sizeof(Entry) * (filters.size() + 1), alignof(Entry)));
  const bool overrides = exchange.has_overrides();
  for (size_t i = 0; i < filters.size(); ++i) {
    const model::FilterPlan& plan = filters[i];
    if (overrides ? !exchange.in_force(plan) : plan.disabled) {
      continue;
    }
    const auto& factory = static_cast<const HttpFilterFactory&>(*plan.config);
    FilterLocal* local = locals.empty() ? nullptr : locals[i].get();
    filters_[size_++] = {factory.create(exchange, local), {nullptr, nullptr}, factory.hooks()};
    hooks_ |= factory.hooks();
  }
}

template <typename D>
FilterChain::Entry& FilterChain::entry(uint32_t i) {
  return filters_[D::place(i, size_)];
}

template <typename D>
FilterChain::Stop& FilterChain::stop_at(uint32_t i) {
  Stop*& stop = entry<D>(i).stops[D::kIndex];
  if (stop == nullptr) {
    stop = exchange_->arena().create<Stop>(exchange_->local().slabs);
  }
  return *stop;
}

// ---- events come in

void FilterChain::request_headers(http::RequestHeaders& headers, End end) {
  request_ = &headers;
  walk_headers<Request>(0, end);
}
void FilterChain::request_data(Buffer& data, End end) { walk_data<Request>(0, data, end); }
void FilterChain::request_trailers(http::HeaderMap& trailers) { walk_trailers<Request>(0, trailers); }

void FilterChain::response_headers(http::ResponseHeaders& headers, End end) {
  response_ = &headers;
  walk_headers<Response>(0, end);
}
void FilterChain::response_data(Buffer& data, End end) { walk_data<Response>(0, data, end); }
void FilterChain::response_trailers(http::HeaderMap& trailers) { walk_trailers<Response>(0, trailers); }

// ---- walks

template <typename D>
void FilterChain::walk_headers(uint32_t from, End end) {
  const uint32_t generation = D::generation(*this);
  uint32_t i = from;
  uint32_t added_at = 0;
  bool taken = false;
  for (; i < size_; ++i) {
    Entry& at = entry<D>(i);
    if ((at.hooks & D::kHeaders) == 0) {
      continue;
    }
    const Step step = D::headers(*at.filter, *exchange_, *this, end);
    if (D::ended(*this, generation)) {
      return;
    }
    if (step.what_ == Step::What::kTaken) {
      taken = true;
      break;
    }
    if (added_body_ != nullptr && added_at == 0) {
      end = End::kNo;
      added_at = i + 1;
    }
    if (step.what_ == Step::What::kPause) {
      if (pause<D>(i, *step.resumer_)) {
        Stop& stop = stop_at<D>(i);
        stop.headers_held = true;
        stop.headers_end = end;
        break;
      }
    } else if (step.what_ != Step::What::kNext && end == End::kNo) {
      Stop& stop = stop_at<D>(i);
      stop.headers_held = true;
      stop.headers_end = End::kNo;
      stop.state = step.what_ == Step::What::kHold ? State::kHolding : State::kCollecting;
      stop.limit = step.limit_;
      break;
    }
  }
  Buffer* const added = std::exchange(added_body_, nullptr);
  if (i == size_) {
    D::pass(*this, end);
  } else if (!taken && added_at == i + 1) {  // by the filter that paused: behind its headers
    Stop& stop = stop_at<D>(i);
    stop.seen = std::move(*added);
    stop.seen_end = End::kYes;
    return;
  }
  if (added != nullptr && !D::ended(*this, generation)) {
    walk_data<D>(added_at, *added, End::kYes);
  }
}

template <typename D>
void FilterChain::walk_data(uint32_t from, Buffer& data, End end) {
  const uint32_t generation = D::generation(*this);
  for (uint32_t i = from; i < size_; ++i) {
    Entry& at = entry<D>(i);
    Stop* const stop = at.stops[D::kIndex];
    if (stop != nullptr && stop->state != State::kOpen) {
      keep_data<D>(i, *stop, data, end);
      return;
    }
    if ((at.hooks & D::kData) == 0) {
      continue;
    }
    const Step step = D::data(*at.filter, *exchange_, data, end);
    if (D::ended(*this, generation)) {
      return;
    }
    if (step.what_ != Step::What::kNext || added_trailers_ != nullptr) {
      answer_data<D>(i, step, data, end);
      return;
    }
  }
  D::pass(*this, data, end);
}

template <typename D>
void FilterChain::walk_trailers(uint32_t from, http::HeaderMap& trailers) {
  const uint32_t generation = D::generation(*this);
  for (uint32_t i = from; i < size_; ++i) {
    Entry& at = entry<D>(i);
    Stop* const stop = at.stops[D::kIndex];
    if (stop != nullptr && stop->state != State::kOpen) {
      keep_trailers<D>(i, *stop, trailers);
      return;
    }
    if ((at.hooks & D::kTrailers) == 0) {
      if (!pass_held_headers<D>(i)) return;
      continue;
    }
    const Step step = D::trailers(*at.filter, *exchange_, trailers);
    if (D::ended(*this, generation) || step.what_ == Step::What::kTaken || !pass_held_headers<D>(i)) {
      return;
    }
    if (Buffer* const added = std::exchange(added_body_, nullptr); added != nullptr) {  // goes in front of them
      walk_data<D>(i + 1, *added, End::kNo);
      if (D::ended(*this, generation)) {
        return;
      }
    }
    if (step.what_ == Step::What::kPause && pause<D>(i, *step.resumer_)) {
      Stop& paused = stop_at<D>(i);
      paused.trailers = &trailers;
      paused.trailers_seen = true;
      return;
    }
  }
  D::pass(*this, trailers);
}

// ---- what a filter said of data, its headers held or not

template <typename D>
void FilterChain::answer_data(uint32_t i, Step step, Buffer& data, End end) {
  const uint32_t generation = D::generation(*this);
  switch (step.what_) {
    case Step::What::kPause:
      if (pause<D>(i, *step.resumer_)) {
        Stop& stop = stop_at<D>(i);
        stop.seen.move_from(data);
        stop.seen.own();
        stop.seen_end = end;
        if (added_trailers_ != nullptr) {
          stop.seen_end = End::kNo;
          stop.trailers = std::exchange(added_trailers_, nullptr);
          stop.trailers_seen = true;
        }
        return;
      }
      break;
    case Step::What::kCollect: {
      Stop& stop = stop_at<D>(i);
      stop.state = State::kCollecting;
      stop.limit = step.limit_;
      keep_data<D>(i, stop, data, end);
      return;
    }
    case Step::What::kTaken:
    case Step::What::kHold:
      return;
    case Step::What::kNext:
      break;
  }
  http::HeaderMap* const trailers = std::exchange(added_trailers_, nullptr);
  if (Stop* const stop = entry<D>(i).stops[D::kIndex]; stop != nullptr) {
    stop->state = State::kOpen;
  }
  if (!pass_held_headers<D>(i)) {
    return;
  }
  walk_data<D>(i + 1, data, trailers != nullptr ? End::kNo : end);
  if (trailers != nullptr && !D::ended(*this, generation)) {
    walk_trailers<D>(i + 1, *trailers);
  }
}

// False: nobody wants the rest.
template <typename D>
bool FilterChain::pass_held_headers(uint32_t i) {
  Stop* const stop = entry<D>(i).stops[D::kIndex];
  if (stop == nullptr || !stop->headers_held) {
    return true;
  }
  const uint32_t generation = D::generation(*this);
  stop->headers_held = false;
  walk_headers<D>(i + 1, stop->headers_end);
  return !D::ended(*this, generation);
}

// ---- what comes to a filter that has stopped

template <typename D>
void FilterChain::keep_data(uint32_t i, Stop& stop, Buffer& data, End end) {
  if (stop.state == State::kHolding) {
    const uint32_t generation = D::generation(*this);
    Entry& at = entry<D>(i);
    const Step step = (at.hooks & D::kData) != 0 ? D::data(*at.filter, *exchange_, data, end) : Step::next();
    if (!D::ended(*this, generation)) {
      answer_data<D>(i, step, data, end);
    }
    return;
  }
  stop.waiting.move_from(data);
  stop.waiting.own();
  if (end == End::kYes) {
    stop.waiting_end = End::kYes;
  }
  if (stop.state == State::kCollecting) {
    if (stop.waiting.size() > stop.limit) {
      D::too_large(*ends_);
    } else if (end == End::kYes) {
      whole_body<D>(i, stop, End::kYes);
    }
  }
}

template <typename D>
void FilterChain::whole_body(uint32_t i, Stop& stop, End end) {
  const uint32_t generation = D::generation(*this);
  Entry& at = entry<D>(i);
  Buffer whole = std::move(stop.waiting);
  stop.waiting_end = End::kNo;
  stop.state = State::kOpen;
  const Step step = (at.hooks & D::kData) != 0 ? D::data(*at.filter, *exchange_, whole, end) : Step::next();
  if (D::ended(*this, generation)) {
    return;
  }
  // It is whole: there is nothing more to collect.
  answer_data<D>(i, step.what_ == Step::What::kCollect ? Step::next() : step, whole, end);
}

template <typename D>
void FilterChain::keep_trailers(uint32_t i, Stop& stop, http::HeaderMap& trailers) {
  const uint32_t generation = D::generation(*this);
  if (stop.state == State::kCollecting) {
    whole_body<D>(i, stop, End::kNo);
    if (!D::ended(*this, generation)) {
      walk_trailers<D>(i, trailers);  // comes back here when the filter paused at the body
    }
    return;
  }
  if (stop.state == State::kPaused) {
    stop.trailers = &trailers;
    stop.trailers_seen = false;
    return;
  }
  stop.state = State::kOpen;  // kHolding: what the filter makes of them is its answer to the headers, too
  walk_trailers<D>(i, trailers);
}

// ---- pause and resume

// False: it was resumed before the hook returned.
template <typename D>
bool FilterChain::pause(uint32_t i, Resumer& resumer) {
  if (std::exchange(resumer.state_, Resumer::State::kIdle) == Resumer::State::kResumed) {
    return false;
  }
  Stop& stop = stop_at<D>(i);
  stop.state = State::kPaused;
  stop.resumer = &resumer;
  resumer.state_ = Resumer::State::kPaused;
  resumer.chain_ = this;
  resumer.filter_ = i;
  resumer.direction_ = D::kIndex;
  if (paused_[D::kIndex]++ == 0) {
    D::stop(*ends_, true);
  }
  return true;
}

template <typename D>
void FilterChain::resume(uint32_t i) {
  const uint32_t generation = D::generation(*this);
  Stop& stop = stop_at<D>(i);
  stop.resumer = nullptr;
  stop.state = State::kOpen;
  const bool last = --paused_[D::kIndex] == 0;
  if (!D::ended(*this, generation) && pass_held_headers<D>(i)) {
    if (!stop.seen.empty() || stop.seen_end == End::kYes) {
      Buffer data = std::move(stop.seen);
      walk_data<D>(i + 1, data, std::exchange(stop.seen_end, End::kNo));
    }
    if (!D::ended(*this, generation) && (!stop.waiting.empty() || stop.waiting_end == End::kYes)) {
      Buffer data = std::move(stop.waiting);
      walk_data<D>(i, data, std::exchange(stop.waiting_end, End::kNo));
    }
    if (!D::ended(*this, generation) && stop.trailers != nullptr && stop.state == State::kOpen) {
      http::HeaderMap& trailers = *std::exchange(stop.trailers, nullptr);
      walk_trailers<D>(stop.trailers_seen ? i + 1 : i, trailers);
    }
  }
  if (last && paused_[D::kIndex] == 0) {
    D::stop(*ends_, false);
  }
}

template <typename D>
size_t FilterChain::pass(uint32_t i, size_t bytes) {
  const uint32_t generation = D::generation(*this);
  Stop& stop = stop_at<D>(i);
  if (D::ended(*this, generation) || !pass_held_headers<D>(i)) {
    return 0;
  }
  if (bytes > 0 && !stop.seen.empty()) {
    Buffer part(stop.seen.pool());
    part.move_from(stop.seen, std::min(bytes, stop.seen.size()));
    walk_data<D>(i + 1, part, End::kNo);
  }
  return D::ended(*this, generation) ? 0 : stop.seen.size();
}

size_t Resumer::pass(size_t bytes) {
  if (state_ != State::kPaused) {
    return 0;
  }
  const Exchange::Acting acting(*chain_->exchange_, *chain_);
  return direction_ == FilterChain::Request::kIndex ? chain_->pass<FilterChain::Request>(filter_, bytes)
                                                    : chain_->pass<FilterChain::Response>(filter_, bytes);
}

void FilterChain::resume(Resumer& resumer) {
  resumer.chain_ = nullptr;
  const Exchange::Acting acting(*exchange_, *this);
  if (resumer.direction_ == Request::kIndex) {
    resume<Request>(resumer.filter_);
  } else {
    resume<Response>(resumer.filter_);
  }
}

void Resumer::resume() {
  if (state_ == State::kArmed) {
    state_ = State::kResumed;
  } else if (state_ == State::kPaused) {
    state_ = State::kIdle;
    chain_->resume(*this);
  }
}

void Resumer::abandon() {
  if (std::exchange(state_, State::kIdle) == State::kPaused) {
    FilterChain& chain = *std::exchange(chain_, nullptr);
    // What is answered to that may be paused in its turn: the chain goes on without us.
    FilterChain::Stop& stop = direction_ == FilterChain::Request::kIndex
                                  ? chain.stop_at<FilterChain::Request>(filter_)
                                  : chain.stop_at<FilterChain::Response>(filter_);
    stop.resumer = nullptr;
    chain.ends_->filter_gave_up();
  }
}

// Nobody waits for a resumer any more.
void FilterChain::detach() {
  for (uint32_t i = 0; i < size_; ++i) {
    for (Stop* const stop : filters_[i].stops) {
      if (stop != nullptr && stop->resumer != nullptr) {
        stop->resumer->state_ = Resumer::State::kIdle;
        stop->resumer = nullptr;
      }
    }
  }
  for (int direction = 0; direction < 2; ++direction) {
    if (std::exchange(paused_[direction], uint8_t{0}) != 0) {
      direction == Request::kIndex ? ends_->stop_request(false) : ends_->stop_response(false);
    }
  }
}

void FilterChain::drop_response() {
  ++response_generation_;
  for (uint32_t i = 0; i < size_; ++i) {
    Stop* const stop = filters_[i].stops[Response::kIndex];
    if (stop == nullptr) {
      continue;
    }
    if (stop->resumer != nullptr) {
      stop->resumer->state_ = Resumer::State::kIdle;
    }
    *stop = Stop(exchange_->local().slabs);
  }
  if (std::exchange(paused_[Response::kIndex], uint8_t{0}) != 0) {
    ends_->stop_response(false);
  }
}

// ---- what filters add

void FilterChain::add_body(Buffer&& body) {
  SLUICE_DCHECK(added_body_ == nullptr);
  added_body_ = exchange_->arena().create<Buffer>(std::move(body));
  added_body_->own();
}

http::HeaderMap& FilterChain::add_trailers() {
  if (added_trailers_ == nullptr) {
    added_trailers_ = exchange_->arena().create<http::HeaderMap>(exchange_->arena());
  }
  return *added_trailers_;
}

// ---- end

void FilterChain::complete(const format::Facts& facts) {
  detach();
  if ((hooks_ & kComplete) == 0) {
    return;
  }
  for (uint32_t i = 0; i < size_; ++i) {
    if ((filters_[i].hooks & kComplete) != 0) {
      filters_[i].filter->on_complete(*exchange_, facts);
    }
  }
}

}  // namespace sluice::proxy
