#include "test/support/sim_world.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "test/support/sim_loop.h"

namespace sluice::test {

namespace {

constexpr MonotonicTime kOrigin{1'000'000'000'000};
constexpr uint32_t kOften = 100;  // permille: more, and little else would happen

// Whose points act.
thread_local SimWorld* buggified_world = nullptr;

uint64_t mix(uint64_t hash, std::string_view bytes) {
  for (const char c : bytes) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

uint64_t mix(uint64_t hash, uint64_t number) {
  hash ^= number;
  hash *= 0x9e3779b97f4a7c15;
  return hash ^ (hash >> 29);
}

}  // namespace

SimWorld::SimWorld(uint64_t seed) : seed_(seed), random_(seed), now_(kOrigin), twists_(~seed) {}

SimWorld::~SimWorld() {
  if (buggified_world == this) {
    buggified_world = nullptr;
    buggify::decide = nullptr;
  }
  SLUICE_CHECK(std::all_of(loops_.begin(), loops_.end(), [](SimLoop* loop) { return loop == nullptr; }));
}

WallTime SimWorld::wall_now() const { return WallTime{wall_start_.us + (now_ - kOrigin).count() / 1000}; }

void SimWorld::buggify() {
  for (uint32_t& rate : buggify_rates_) {
    rate = twists_.chance(500) ? static_cast<uint32_t>(twists_.between(1, kOften)) : 0;
  }
  buggified_world = this;
  buggify::decide = [](buggify::Point point) { return buggified_world->decide(point); };
}

bool SimWorld::decide(buggify::Point point) {
  const auto at = static_cast<size_t>(point);
  if (!twists_.chance(buggify_rates_[at])) {
    return false;
  }
  ++buggified_[at];
  trace("buggify", at);
  return true;
}

bool SimWorld::later(const Event& x, const Event& y) {
  if (x.at != y.at) {
    return x.at > y.at;
  }
  return x.tie != y.tie ? x.tie > y.tie : x.sequence > y.sequence;
}

void SimWorld::after(Duration delay, Function<void()> event) { add_event(delay, true, std::move(event)); }

void SimWorld::add_event(Duration delay, bool outside, Function<void()> event) {
  SLUICE_CHECK(delay.count() >= 0);
  events_.push_back({now_ + delay, random_.next(), next_sequence_++, outside, std::move(event)});
  std::push_heap(events_.begin(), events_.end(), later);
}

bool SimWorld::take_step() {
  schedule_timers();
  if (events_.empty()) {
    return false;
  }
  std::pop_heap(events_.begin(), events_.end(), later);
  Event event = std::move(events_.back());
  events_.pop_back();
  steps_at_now_ = event.at == now_ ? steps_at_now_ + 1 : 0;
  SLUICE_CHECK(steps_at_now_ < kSpin);
  now_ = event.at;
  ++steps_;
  event.run();
  look_at_timers_ |= event.outside;
  if (after_step_) {
    after_step_();
  }
  return true;
}

// A loop puts its next deadline into the queue at the end of its turn. Timers that were armed outside of one, by a test
// between two runs or by its events, are found here.
void SimWorld::schedule_timers() {
  if (!std::exchange(look_at_timers_, false)) {
    return;
  }
  for (SimLoop* loop : loops_) {
    if (loop != nullptr) {
      loop->schedule_timers();
    }
  }
}

void SimWorld::set_loop_times() {
  for (SimLoop* loop : loops_) {
    if (loop != nullptr) {
      loop->read_clock();
    }
  }
}

bool SimWorld::run_until(const std::function<bool()>& done, Duration limit) {
  const MonotonicTime end = now_ + limit;
  look_at_timers_ = true;
  bool reached = done();
  while (!reached) {
    schedule_timers();
    if (events_.empty() || events_.front().at > end) {
      break;
    }
    take_step();
    reached = done();
  }
  set_loop_times();
  return reached;
}

void SimWorld::run_for(Duration time) {
  const MonotonicTime end = now_ + time;
  run_until([] { return false; }, time);
  now_ = end;
  set_loop_times();
}

void SimWorld::record(const char* what, std::string_view text, uint64_t a, uint64_t b) {
  hash_ = mix(mix(mix(mix(mix(hash_, std::string_view(what)), text), static_cast<uint64_t>(now_.ns)), a), b);
  Line line{now_, steps_, what, std::string(text), a, b};
  if (printing_) {
    std::fprintf(stderr, "%s\n", format(line).c_str());
  }
  if (lines_.size() < kKeptLines) {
    lines_.push_back(std::move(line));
  } else {
    lines_[next_line_] = std::move(line);
    next_line_ = (next_line_ + 1) % kKeptLines;
  }
}

std::string SimWorld::format(const Line& line) {
  char head[64];
  std::snprintf(head, sizeof(head), "%12.6f ms #%llu ", static_cast<double>(line.at.ns - kOrigin.ns) / 1e6,
                static_cast<unsigned long long>(line.step));
  return line.text.empty() ? cat(head, line.what, " ", line.a, " ", line.b) : cat(head, line.text);
}

std::string SimWorld::last_trace(size_t lines) const {
  std::string out = cat("seed ", seed_, ", step ", steps_, "\n");
  const size_t count = std::min(lines, lines_.size());
  for (size_t i = lines_.size() - count; i < lines_.size(); ++i) {
    append(out, format(lines_[(next_line_ + i) % lines_.size()]), "\n");
  }
  return out;
}

void SimWorld::add(SimLoop& loop) {
  loops_.push_back(&loop);
  look_at_timers_ = true;
}

void SimWorld::remove(SimLoop& loop) {
  std::replace(loops_.begin(), loops_.end(), &loop, static_cast<SimLoop*>(nullptr));
}

}  // namespace sluice::test
