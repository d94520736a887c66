// HeadReader: one field block of HTTP/2 as it is decoded: pseudo fields apart, cookie crumbs joined, every field
// charged against the limits when it comes, whatever becomes of it.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "http/codec.h"

namespace sluice::http::http2 {

// A connection reads one block at a time. Part of its Session. Thread: worker.
class HeadReader {
 public:
  enum class Status : uint8_t {
    kTaken,
    kTooLarge,    // the bytes of names and values
    kTooMany,     // fields
    kUnderscore,  // in a name, where that is refused
    kInvalid,
  };

  explicit HeadReader(const CodecOptions& options) : options_(options) {}

  // Texts will stand in `arena`.
  void begin(Arena& arena);
  Status add(std::string_view name, std::string_view value);
  // The block is complete.
  RequestHeaders* finish_request();
  ResponseHeaders* finish_response();
  HeaderMap* finish_trailers();

  uint16_t dropped() const { return dropped_; }  // because of an underscore in their name
  uint16_t status() const { return status_; }
  size_t bytes() const { return bytes_; }  // of names and values
  bool open() const { return arena_ != nullptr; }
  void drop() { arena_ = nullptr; }

 private:
  struct Crumb {
    Crumb* next;
    std::string_view text;
  };

  Status add_pseudo(std::string_view name, std::string_view value);
  void add_field(Token token, std::string_view name, std::string_view value);
  void add_crumb(std::string_view value);
  void join_cookies();
  void become_upgrade(RequestHeaders& headers) const;

  const CodecOptions& options_;
  Arena* arena_ = nullptr;
  RequestHeaders* request_ = nullptr;  // of the block; a response takes its fields over
  size_t bytes_ = 0;
  uint32_t count_ = 0;
  uint16_t status_ = 0;
  uint16_t dropped_ = 0;
  std::string_view method_, path_, authority_, scheme_, protocol_, host_;
  Crumb* first_crumb_ = nullptr;
  Crumb* last_crumb_ = nullptr;
  size_t cookie_bytes_ = 0;
};

}  // namespace sluice::http::http2
