// CipherBio: the pipe that OpenSSL sees. It reads the records that its transport received, and what it writes is
// collected flat until the transport sends it. Only for this folder.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "buffer/buffer.h"
#include "net/tls/openssl.h"

namespace sluice::net::tls {

class ConnectionHooks;

// One for each thread: a connection uses it while it calls OpenSSL and takes what was produced before it returns, so
// that no connection owns buffers. Thread: its own.
struct CipherBio {
  static constexpr size_t kRecord = 16 * 1024;  // the most plain text that one record takes

  static CipherBio& of_thread();
  ~CipherBio();

  // Who calls OpenSSL from now on: it reads from `in` (null: nothing is here), and its callbacks are for `caller`.
  CipherBio& use(ConnectionHooks& caller, buffer::Buffer* in) {
    caller_ = &caller;
    in_ = in;
    size = 0;
    return *this;
  }
  ConnectionHooks& caller() const { return *caller_; }
  // A reference for SSL_set_bio().
  BIO* reference();
  std::string_view produced() const { return {bytes_.get(), size}; }

  size_t size = 0;                // of what was produced
  std::unique_ptr<char[]> plain;  // kRecord: where small fragments are joined

 private:
  CipherBio();
  static int on_read(BIO* bio, char* to, int count);
  static int on_write(BIO* bio, const char* from, int count);
  static long on_control(BIO* bio, int command, long number, void* pointer);
  static const BIO_METHOD* method();

  BIO* bio_;
  ConnectionHooks* caller_ = nullptr;
  buffer::Buffer* in_ = nullptr;
  std::unique_ptr<char[]> bytes_;
  size_t capacity_;
};

}  // namespace sluice::net::tls
