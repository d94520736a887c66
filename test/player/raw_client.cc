#include <chrono>

#include "base/base64.h"
#include "test/player/clients.h"

namespace sluice::player {

Task<Value::Map> RawClient::request(Spec spec) {
  Wire& w = *wire_;
  std::vector<std::string> parts;
  if (spec.has("send_size")) {
    parts.push_back(filler(spec["send_size"].size()));
  } else if (spec.has("send_base64")) {
    parts.push_back(decode_base64(spec["send_base64"].text()).value_or(""));
  } else if (spec["send"].value() != nullptr && spec["send"].value()->as_list() != nullptr) {
    for (const Spec& part : spec["send"].list()) {
      parts.push_back(as_bytes(part.text()));
    }
  } else if (spec.has("send")) {
    parts.push_back(as_bytes(spec["send"].text()));
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) {
      (void)co_await w.until_end(spec["part_delay_ms"].ms(30));
    }
    w.write(parts[i]);
  }
  if (spec["half_close"].truthy()) {
    w.half_close();
  }
  const std::string read = spec["read"].text("until_close");
  const Duration limit = spec["timeout_ms"].ms(5000);
  if (read == "until_close") {
    (void)co_await w.until_end(limit);
  } else if (read == "until_idle") {
    uint64_t seen = UINT64_MAX;
    while (seen != w.received && w.ended.empty()) {
      seen = w.received;
      (void)co_await w.until([&w, seen] { return w.received != seen; }, spec["idle_ms"].ms(150));
    }
  } else if (read != "none") {
    const size_t wanted = spec["read"].size();
    (void)co_await w.until([&w, wanted] { return w.buf.size() >= wanted; }, limit);
  }
  Value::Map out;
  out.set("received", bytes(w.take_all()));
  out.set("ended", !w.ended.empty() ? text(w.ended) : Value(read == "until_close" ? "timeout" : "open"));
  if (spec["abort"].truthy()) {
    spec["abort"].says("reset") ? w.reset() : w.close();
  }
  co_return out;
}

}  // namespace sluice::player
