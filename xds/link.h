// Link: a stream to a control plane that is opened again whenever it ends.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/token_bucket.h"
#include "event/loop.h"
#include "xds/ads_transport.h"
#include "xds/control_plane.h"

namespace sluice::xds {

// Backs off, limits the rate, adds the node to requests. Owned by its session. Thread: main.
class Link final : public AdsStreamOwner {
 public:
  // The session. Outlives the link.
  class Owner {
   public:
    // A new stream: nothing was said on it yet.
    virtual void on_open() = 0;
    // False: that is no response; the stream is ended.
    virtual bool on_response(std::string_view message) = 0;
    virtual void on_lost(std::string_view why) = 0;
    // may_send() said no before; it would say yes now.
    virtual void on_may_send() = 0;

   protected:
    ~Owner() = default;
  };

  // `node_field`: the number of the field `node` in requests.
  Link(event::Loop& loop, Random& random, AdsTransport& transport, const Options& options, Numbers& numbers,
       std::string path, uint32_t node_field, Owner& owner);
  ~Link();

  void open();
  // For good.
  void close();
  bool is_open() const { return stream_ != nullptr; }

  // Takes a token of the rate limit: a send() must follow.
  bool may_send();
  // A serialized request without its node.
  void send(std::string request);

 private:
  void on_message(std::string_view message) override;
  void on_end(int grpc_status, std::string_view message) override;
  void lose(std::string_view why);

  event::Loop& loop_;
  Random& random_;
  AdsTransport& transport_;
  const Options& options_;
  Numbers& numbers_;
  const std::string path_;
  const std::string node_;  // as a field of a request
  Owner& owner_;
  std::unique_ptr<AdsStream> stream_;
  bool node_sent_ = false;
  Duration next_back_off_;
  std::optional<TokenBucket> tokens_;
  event::Timer retry_;
  event::Timer token_;
};

}  // namespace sluice::xds
