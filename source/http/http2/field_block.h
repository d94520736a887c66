// FieldBlock: a message head or trailers as nghttp2 takes them: an array of views.
#pragma once

#include <nghttp2/nghttp2.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace sluice::http::http2 {

// What stands in it are views of the message. One for each thread is enough: a block is given to nghttp2, which
// copies, as soon as it is made. Thread: its owner's.
class FieldBlock {
 public:
  // Whether the request's tunnel goes as extended CONNECT is seen from it.
  void make(const RequestHeaders& headers);
  // `status` instead of the head's own: the answer to an extended CONNECT is 200, not 101.
  void make(const ResponseHeaders& headers, uint16_t status);
  void make(const HeaderMap& trailers);

  const nghttp2_nv* data() const { return fields_.data(); }
  size_t size() const { return fields_.size(); }
  size_t bytes() const { return bytes_; }  // of names and values

 private:
  void start() {
    fields_.clear();
    bytes_ = 0;
  }
  void add(std::string_view name, std::string_view value);
  void add_fields(const HeaderMap& fields);

  std::vector<nghttp2_nv> fields_;
  size_t bytes_ = 0;
};

// Trailers that wait until the body before them is sent: copies. Owned by their stream. Thread: worker.
class KeptTrailers {
 public:
  explicit KeptTrailers(const HeaderMap& trailers);
  const nghttp2_nv* data() const { return fields_.data(); }
  size_t size() const { return fields_.size(); }
  size_t bytes() const { return bytes_.size(); }

 private:
  std::string bytes_;
  std::vector<nghttp2_nv> fields_;
};

}  // namespace sluice::http::http2
