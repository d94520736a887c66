// Operators about when things happened and how long they took.
#include "base/civil_time.h"
#include "base/strings.h"
#include "format/operators.h"

namespace sluice::format {
namespace {

constexpr std::string_view kUtcFormat = "%Y-%m-%dT%H:%M:%E3SZ";
constexpr std::string_view kLocalFormat = "%Y-%m-%dT%H:%M:%E3S%z";

Result<void> prepare_format(std::string_view argument, std::string_view fallback, Piece& piece) {
  if (argument.find('\n') != std::string_view::npos || argument.find("%n") != std::string_view::npos) {
    return Error{"the time format contains a newline"};
  }
  piece.text = argument.empty() ? fallback : argument;
  return {};
}

Result<void> prepare_utc(std::string_view argument, Piece& piece) {
  return prepare_format(argument, kUtcFormat, piece);
}
Result<void> prepare_local(std::string_view argument, Piece& piece) {
  return prepare_format(argument, kLocalFormat, piece);
}

bool start_time(std::string& to, const Facts& facts, const Piece& piece) {
  append_time(to, piece.text, utc(facts.start_wall));
  return true;
}

bool start_time_local(std::string& to, const Facts& facts, const Piece& piece) {
  append_time(to, piece.text, local(facts.start_wall));
  return true;
}

WallTime emitted(const Facts& facts) {
  if (facts.emitted.us != 0 || facts.end == kUnset) {
    return facts.emitted.us != 0 ? facts.emitted : facts.start_wall;
  }
  return {facts.start_wall.us + (facts.end - facts.start).count() / 1000};
}

bool emit_time(std::string& to, const Facts& facts, const Piece& piece) {
  append_time(to, piece.text, utc(emitted(facts)));
  return true;
}

bool emit_time_local(std::string& to, const Facts& facts, const Piece& piece) {
  append_time(to, piece.text, local(emitted(facts)));
  return true;
}

// Validity of the peers' certificates.
template <auto Tls, auto Member>
bool certificate_time(std::string& to, const Facts& facts, const Piece& piece) {
  const TlsFacts* tls = facts.*Tls;
  if (tls == nullptr || (tls->texts().*Member).us == 0) {
    return false;
  }
  append_time(to, piece.text, utc(tls->texts().*Member));
  return true;
}

MonotonicTime response_end(const Facts& facts) { return facts.response_end == kUnset ? facts.end : facts.response_end; }

// Nanoseconds in `unit`, whole; unset unless both happened, in that order.
bool put_duration(std::string& to, MonotonicTime from, MonotonicTime until, int64_t unit) {
  if (from == kUnset || until == kUnset || until < from) {
    return false;
  }
  return put_number(to, static_cast<uint64_t>((until - from).count() / unit));
}

constexpr int64_t kMs = 1'000'000;

template <auto Until>
bool since_start(std::string& to, const Facts& facts, const Piece&) {
  return put_duration(to, facts.start, facts.*Until, kMs);
}

bool response_tx_duration(std::string& to, const Facts& facts, const Piece&) {
  return put_duration(to, facts.upstream_rx_start, response_end(facts), kMs);
}

bool pool_ready_duration(std::string& to, const Facts& facts, const Piece&) {
  return facts.pool_wait.count() >= 0 && put_number(to, static_cast<uint64_t>(to_ms(facts.pool_wait)));
}

struct Point {
  std::string_view name;
  MonotonicTime Facts::*member;
};
constexpr Point kPoints[] = {
    {"DS_RX_BEG", &Facts::start},
    {"DS_RX_END", &Facts::request_end},
    {"US_CX_BEG", &Facts::upstream_connect_start},
    {"US_CX_END", &Facts::upstream_connected},
    {"US_HS_END", &Facts::upstream_handshake_end},
    {"US_TX_BEG", &Facts::upstream_tx_start},
    {"US_TX_END", &Facts::upstream_tx_end},
    {"US_RX_BEG", &Facts::upstream_rx_start},
    {"US_RX_END", &Facts::upstream_rx_end},
    {"DS_TX_BEG", &Facts::response_start},
    {"DS_TX_END", &Facts::response_end},
};
constexpr uint32_t kNoPoint = std::size(kPoints);  // a filter's own point: nothing sets one

uint32_t point_of(std::string_view name) {
  uint32_t i = 0;
  while (i < kNoPoint && kPoints[i].name != name) {
    ++i;
  }
  return i;
}

// option: from * 256 + until; option_2: nanoseconds of the unit.
bool common_duration(std::string& to, const Facts& facts, const Piece& piece) {
  const uint32_t from = piece.option / 256;
  const uint32_t until = piece.option % 256;
  if (from == kNoPoint || until == kNoPoint) {
    return false;
  }
  const auto at = [&](uint32_t point) {
    return kPoints[point].member == &Facts::response_end ? response_end(facts) : facts.*kPoints[point].member;
  };
  return put_duration(to, at(from), at(until), piece.option_2);
}

Result<void> prepare_common_duration(std::string_view argument, Piece& piece) {
  const auto parts = split(argument, ':');
  if (parts.size() < 2 || parts.size() > 3) {
    return Error{cat("COMMON_DURATION takes two points and a unit, not \"", argument, "\"")};
  }
  const std::string_view unit = parts.size() == 3 ? parts[2] : "ms";
  if (unit != "ms" && unit != "us" && unit != "ns") {
    return Error{cat("\"", unit, "\" is no unit of COMMON_DURATION: ms, us or ns")};
  }
  piece.option = point_of(parts[0]) * 256 + point_of(parts[1]);
  piece.option_2 = unit == "ms" ? kMs : unit == "us" ? 1000 : 1;
  return {};
}

constexpr Operator kTimeOperators[] = {
    {"COMMON_DURATION", kNeedsArgument, kWhole, kNumber, common_duration, prepare_common_duration},
    {"DOWNSTREAM_HANDSHAKE_DURATION", kNoArgument, kWhole, kNumber, since_start<&Facts::downstream_handshake_end>},
    {"DOWNSTREAM_PEER_CERT_V_END", kMayHaveArgument, kWhole, kText,
     certificate_time<&Facts::downstream_tls, &net::TlsTexts::peer_valid_until>, prepare_utc},
    {"DOWNSTREAM_PEER_CERT_V_START", kMayHaveArgument, kWhole, kText,
     certificate_time<&Facts::downstream_tls, &net::TlsTexts::peer_valid_from>, prepare_utc},
    {"DURATION", kNoArgument, kWhole, kNumber, since_start<&Facts::end>},
    {"EMIT_TIME", kMayHaveArgument, kWhole, kText, emit_time, prepare_utc},
    {"EMIT_TIME_LOCAL", kMayHaveArgument, kWhole, kText, emit_time_local, prepare_local},
    {"REQUEST_DURATION", kNoArgument, kWhole, kNumber, since_start<&Facts::request_end>},
    {"REQUEST_TX_DURATION", kNoArgument, kWhole, kNumber, since_start<&Facts::upstream_tx_end>},
    {"RESPONSE_DURATION", kNoArgument, kWhole, kNumber, since_start<&Facts::upstream_rx_start>},
    {"RESPONSE_TX_DURATION", kNoArgument, kWhole, kNumber, response_tx_duration},
    {"START_TIME", kMayHaveArgument, kWhole, kText, start_time, prepare_utc},
    {"START_TIME_LOCAL", kMayHaveArgument, kWhole, kText, start_time_local, prepare_local},
    {"UPSTREAM_CONNECTION_POOL_READY_DURATION", kNoArgument, kWhole, kNumber, pool_ready_duration},
    {"UPSTREAM_PEER_CERT_V_END", kMayHaveArgument, kWhole, kText,
     certificate_time<&Facts::upstream_tls, &net::TlsTexts::peer_valid_until>, prepare_utc},
    {"UPSTREAM_PEER_CERT_V_START", kMayHaveArgument, kWhole, kText,
     certificate_time<&Facts::upstream_tls, &net::TlsTexts::peer_valid_from>, prepare_utc},
};

}  // namespace

std::span<const Operator> time_operators() { return kTimeOperators; }

}  // namespace sluice::format
