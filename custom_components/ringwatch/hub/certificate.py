"""TLS from files, read again when they have changed: whoever renews them tells nobody."""

from pathlib import Path
import ssl

from .log import Log


class CertificateError(Exception):
    """The files can't be used."""


class Certificate:
    """A context for connections that come from now on. Reading blocks."""

    def __init__(self, certificate: Path, private_key: Path, log: Log) -> None:
        """Read the files. Raise CertificateError."""
        self._certificate = certificate
        self._private_key = private_key
        self._log = log
        self._stamp: tuple[object, ...] = ()
        self.context = self._load()

    def look_again(self) -> None:
        """Take new files over; a broken one leaves the old one in use."""
        try:
            if self._stamp != self._stamp_now():
                self.context = self._load()
                self._log.info("certificate_renewed")
        except (CertificateError, OSError) as error:
            self._log.warning("certificate_not_renewed", error=type(error).__name__)

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
        context.set_alpn_protocols(["http/1.1"])
        try:
            stamp = self._stamp_now()
            context.load_cert_chain(self._certificate, self._private_key, password=lambda: b"")
        except (OSError, ValueError) as error:
            raise CertificateError("certificate and private key can't be read or don't fit") from error
        self._stamp = stamp
        return context

    def _stamp_now(self) -> tuple[object, ...]:
        found = [path.stat() for path in (self._certificate, self._private_key)]
        return tuple((one.st_mtime_ns, one.st_size, one.st_ino) for one in found)
