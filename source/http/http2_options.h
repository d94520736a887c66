// What HTTP/2 connections are configured with: Http2ProtocolOptions, with Envoy's defaults for what is not set.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"

namespace sluice::http {

// One of SETTINGS (RFC 9113 6.5.1). A plain value.
struct Http2Setting {
  uint16_t id;
  uint32_t value;
};

// Immutable. Thread: any.
struct Http2Options {
  uint32_t hpack_table_size = 4096;
  uint32_t max_concurrent_streams = 1024;
  uint32_t stream_window = 16 * 1024 * 1024;
  uint32_t connection_window = 24 * 1024 * 1024;
  bool allow_connect = false;                    // extended CONNECT (RFC 8441)
  bool stream_error_on_invalid_message = false;  // a bad message resets its stream alone
  // Floods. What waits to be sent, in frames; control: acknowledgements and resets.
  uint32_t max_outbound_frames = 10'000;
  uint32_t max_outbound_control_frames = 1'000;
  uint32_t max_empty_frames = 1;  // DATA, HEADERS and CONTINUATION without payload, in a row
  uint32_t max_priority_frames_per_stream = 100;
  uint32_t max_window_updates_per_data_frame = 10;
  // connection_keepalive; 0: none.
  Duration ping_interval{0};
  Duration ping_timeout{0};
  double ping_jitter_percent = 15;
  Duration ping_when_idle{0};  // before the first stream after so much silence
  // custom_settings_parameters: told to the peer beside those above, or in their place; each id once.
  std::vector<Http2Setting> custom_settings;
};

}  // namespace sluice::http
