// Gzip (RFC 1952) of bodies that pass by in pieces. zlib stays in gzip.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "buffer/buffer.h"

namespace sluice::http {

// Envoy's defaults.
struct GzipOptions {
  int level = -1;    // zlib's own: 6
  int strategy = 0;  // zlib's numbers
  int memory_level = 5;
  int window_bits = 12;
  uint32_t chunk_size = 4096;
};

// Thread: its owner's.
class GzipWriter {
 public:
  explicit GzipWriter(const GzipOptions& options);
  ~GzipWriter();
  GzipWriter(const GzipWriter&) = delete;
  GzipWriter& operator=(const GzipWriter&) = delete;

  enum class Then : uint8_t { kFlush, kFinish };
  // Replaces what is in `data`. All of it can be read from what has come out.
  void write(buffer::Buffer& data, Then then);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Bytes that are no gzip, or that unpack to more than `max_ratio` times what came, end it. Thread: its owner's.
class GzipReader {
 public:
  struct Options {
    int window_bits = 15;
    uint32_t chunk_size = 4096;
    uint32_t max_ratio = 100;
  };
  explicit GzipReader(const Options& options);
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  enum class Result : uint8_t { kFine, kBadData, kTooMuch };
  // Replaces what is in `data`.
  Result read(buffer::Buffer& data);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::http
