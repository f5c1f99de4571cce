package org.apache.flume.source.taildir;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flume.Event;
import org.apache.flume.event.EventBuilder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One file that TAILDIR follows, in the place of Flume 1.11's class of this name, which drops a
 * carriage return amid a line where its read buffer ends (docs/decisions/0013).
 *
 * <p>Two offsets: {@code lineReadPos} is behind the last line that was given out, {@code pos} behind
 * the last one that the channel has taken. Nothing else is remembered between two calls, so what
 * a till takes back of a half line was never read. Bytes behind the last line feed are never given
 * out, however long the file is idle; Flume's own class makes a line of them.
 *
 * <p>A file that cannot be opened gives no lines and stops no other file: it is tried again at each
 * poll.
 */
public class TailFile {
    private static final Logger LOG = LoggerFactory.getLogger(TailFile.class);
    /** A batch of 2,000 long lines would not fit into the agent's heap. */
    private static final int MOST_BYTES = 4 << 20;

    private final String path;
    private final long inode;
    private final Map<String, String> headers;
    private long lineReadPos;
    private boolean needTail = true;
    /** Where the half line begins that was last told about. */
    private long toldHalf = -1;
    // the threads that write positions and look for idle files read these
    private volatile RandomAccessFile raf;
    private volatile long pos;
    private volatile long lastUpdated;

    /** Opens the file; what is before {@code pos} has been read in an earlier life. */
    public TailFile(File file, Map<String, String> headers, long inode, long pos)
            throws IOException {
        this.path = file.getAbsolutePath();
        this.inode = inode;
        this.headers = headers;
        this.pos = pos;
        this.lineReadPos = pos;
        // or it would count as idle at once, when the agent is a day old
        this.lastUpdated = System.currentTimeMillis();
        try {
            this.raf = new RandomAccessFile(file, "r");
        } catch (IOException e) {
            LOG.warn("{} (inode {}) cannot be opened: {}", path, inode, e.getMessage());
        }
    }

    /**
     * Gives at most that many lines from {@code pos} on; fewer at the end of the file, and when
     * they have {@code MOST_BYTES}: the source goes on with the next poll. What was given out and
     * not taken comes again.
     *
     * @param backoffWithoutNL of no effect: a last line that has no end yet is always held back
     * @param addByteOffset give each event the offset of its line as a header
     * @throws IOException when the file cannot be read; the next call gives the same lines
     */
    public List<Event> readEvents(int numEvents, boolean backoffWithoutNL, boolean addByteOffset)
            throws IOException {
        List<Event> events = new ArrayList<>();
        if (raf == null) {
            return events;
        }
        if (wasRewritten()) {
            LOG.warn("{} (inode {}) was written anew in its place: no line ends at {}, where it was"
                + " read to, so it is read from its beginning", path, inode, pos);
            pos = 0;
        }
        lineReadPos = pos;
        LineReader lines = new LineReader(raf, lineReadPos);
        while (events.size() < numEvents && lines.position() - lineReadPos < MOST_BYTES) {
            long begin = lines.position();
            byte[] line = lines.next();
            if (line == null) {
                if (lines.hasRest() && toldHalf != begin) {
                    toldHalf = begin;
                    LOG.info("{} (inode {}) ends in half a line, from {} on", path, inode, begin);
                }
                break;
            }
            Event event = EventBuilder.withBody(line);
            if (addByteOffset) {
                event.getHeaders().put(
                    TaildirSourceConfigurationConstants.BYTE_OFFSET_HEADER_KEY,
                    Long.toString(begin));
            }
            events.add(event);
        }
        lineReadPos = lines.position();
        return events;
    }

    /**
     * Whether what stands before {@code pos} is no line's end: a file that only grows has one there.
     * (One that is shorter by now Flume's reader reads from its beginning.)
     */
    private boolean wasRewritten() throws IOException {
        if (pos == 0 || pos > raf.length()) {
            return false;
        }
        raf.seek(pos - 1);
        return raf.read() != '\n';
    }

    /** Takes over a stored position, if it is of this very file; says whether it was. */
    public boolean updatePos(String path, long inode, long pos) throws IOException {
        if (this.inode != inode || !this.path.equals(path)) {
            return false;
        }
        updateFilePos(pos);
        setPos(pos);
        LOG.info("{} (inode {}) is read from {} on", path, inode, pos);
        return true;
    }

    /** Has the next line read from there on; an offset below 0 is an IOException. */
    public void updateFilePos(long pos) throws IOException {
        if (pos < 0) {
            throw new IOException("there is no offset " + pos + " in " + path);
        }
        lineReadPos = pos;
    }

    /** Closes the file; who finds it changed later opens it anew. */
    public void close() {
        try {
            if (raf != null) {
                raf.close();
            }
            raf = null;
            lastUpdated = System.currentTimeMillis();
        } catch (IOException e) {
            LOG.error("{} (inode {}) could not be closed", path, inode, e);
        }
    }

    /** Null when it is closed. */
    public RandomAccessFile getRaf() {
        return raf;
    }

    public String getPath() {
        return path;
    }

    public long getInode() {
        return inode;
    }

    public Map<String, String> getHeaders() {
        return headers;
    }

    public long getPos() {
        return pos;
    }

    public void setPos(long pos) {
        this.pos = pos;
    }

    public long getLineReadPos() {
        return lineReadPos;
    }

    public void setLineReadPos(long lineReadPos) {
        this.lineReadPos = lineReadPos;
    }

    /** When lines were last taken, or the file was closed; epoch ms. */
    public long getLastUpdated() {
        return lastUpdated;
    }

    public void setLastUpdated(long lastUpdated) {
        this.lastUpdated = lastUpdated;
    }

    public boolean needTail() {
        return needTail;
    }

    public void setNeedTail(boolean needTail) {
        this.needTail = needTail;
    }
}
