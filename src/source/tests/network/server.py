"""A real RTSP server, GStreamer's, for the ignored test of ../rtsp.rs.

    apt-get install python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-{base,good,ugly}
    python3 src/source/tests/network/server.py [basic|digest] &
    EDGECLIP_RTSP=rtsp://127.0.0.1:8554/plain cargo test --lib source::tests::rtsp -- --ignored --nocapture

Serves /plain (1280x720, 4 Mbit/s, no reordering) and /reordered (B pictures), each with 25 pictures a second; with an
argument only to user "user" with password "p@ss".
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

STREAMS = {
    "/plain": (1280, 720, "tune=zerolatency bitrate=4000"),
    "/reordered": (640, 480, "bframes=2 b-adapt=false"),
}
ROLE = "viewer"

Gst.init(None)
server = GstRtspServer.RTSPServer(service="8554")
for path, (width, height, encoder) in STREAMS.items():
    factory = GstRtspServer.RTSPMediaFactory(shared=True)
    factory.set_launch(
        f"( videotestsrc is-live=true pattern=ball ! video/x-raw,width={width},height={height},framerate=25/1"
        f" ! x264enc key-int-max=25 speed-preset=veryfast {encoder} ! rtph264pay name=pay0 pt=96 )"
    )
    if len(sys.argv) > 1:
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role(ROLE, "media.factory.access", True)
        permissions.add_permission_for_role(ROLE, "media.factory.construct", True)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory(path, factory)
if len(sys.argv) > 1:
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    auth = GstRtspServer.RTSPAuth()
    if sys.argv[1] == "digest":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest("user", "p@ss", token)
    else:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic("user", "p@ss"), token)
    server.set_auth(auth)
server.attach(None)
GLib.MainLoop().run()
