// A control plane's end of the seam AdsTransport: what was said to it, and a way to say something.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "xds/ads_transport.h"

namespace sluice::test {

// Keeps everything in memory, calls back only when it is told to. Owned by the test. Thread: the test's.
class FakeTransport final : public xds::AdsTransport {
 public:
  struct Stream {
    std::string path;
    std::vector<xds::RequestField> metadata;
    xds::AdsStreamOwner* owner = nullptr;  // null: it ended
    std::vector<std::string> sent;
  };
  struct Fetch {
    xds::FetchRequest request;
    xds::AdsFetchOwner* owner = nullptr;  // null: it was answered or given up
  };

  std::unique_ptr<xds::AdsStream> open_stream(std::string_view path, const std::vector<xds::RequestField>& metadata,
                                              xds::AdsStreamOwner& owner) override {
    streams.push_back(std::make_unique<Stream>(Stream{std::string(path), metadata, &owner, {}}));
    return std::make_unique<Open>(*streams.back());
  }
  std::unique_ptr<xds::AdsFetch> fetch(xds::FetchRequest request, xds::AdsFetchOwner& owner) override {
    fetches.push_back(std::make_unique<Fetch>(Fetch{std::move(request), &owner}));
    return std::make_unique<Waiting>(*fetches.back());
  }

  void end(Stream& stream, int status, std::string_view message = {}) {
    xds::AdsStreamOwner* const owner = std::exchange(stream.owner, nullptr);
    owner->on_end(status, message);
  }
  void answer(Fetch& fetch, uint32_t status, std::string_view body) {
    xds::AdsFetchOwner* const owner = std::exchange(fetch.owner, nullptr);
    owner->on_fetched(status, body);
  }

  std::vector<std::unique_ptr<Stream>> streams;
  std::vector<std::unique_ptr<Fetch>> fetches;

 private:
  class Open final : public xds::AdsStream {
   public:
    explicit Open(Stream& stream) : stream_(stream) {}
    ~Open() override { stream_.owner = nullptr; }
    void send(std::string message) override {
      if (stream_.owner != nullptr) {
        stream_.sent.push_back(std::move(message));
      }
    }

   private:
    Stream& stream_;
  };
  class Waiting final : public xds::AdsFetch {
   public:
    explicit Waiting(Fetch& fetch) : fetch_(fetch) {}
    ~Waiting() override { fetch_.owner = nullptr; }

   private:
    Fetch& fetch_;
  };
};

}  // namespace sluice::test
