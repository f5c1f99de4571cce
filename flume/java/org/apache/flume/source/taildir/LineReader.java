package org.apache.flume.source.taildir;

import java.io.IOException;
import java.io.RandomAccessFile;

/**
 * Cuts a file into lines. A line ends at a line feed; one carriage return right before that
 * belongs to the end, every other byte to the line.
 *
 * <p>The end is looked for before a line is taken into memory, so a line of any length is read
 * twice at most, half a line takes no memory, and of a long one only its beginning is taken.
 */
final class LineReader {
    private static final byte LINE_FEED = '\n';
    private static final byte CARRIAGE_RETURN = '\r';
    private static final int BUFFER_BYTES = 8192;
    /** One more than the interceptor `cut` leaves of a line (flume/conf/flume.conf.j2). */
    private static final int MOST_BYTES = 65_537;

    private final RandomAccessFile file;
    private final byte[] buffer = new byte[BUFFER_BYTES];
    /** Offsets in the file of what is in the buffer: the first, and the one behind the last. */
    private long bufferBegin;
    private long bufferEnd;
    /** Where the next line begins, how far its end has been looked for, and the byte before. */
    private long position;
    private long searched;
    private byte last;

    LineReader(RandomAccessFile file, long position) {
        this.file = file;
        this.position = position;
        this.searched = position;
        this.bufferBegin = position;
        this.bufferEnd = position;
    }

    /** The offset behind the last line that was given. */
    long position() {
        return position;
    }

    /**
     * Gives the next line without its end, or its first {@code MOST_BYTES}; null when the file has
     * no further line feed.
     */
    byte[] next() throws IOException {
        while (searched < bufferEnd || fill()) {
            byte before = last;
            last = buffer[(int) (searched++ - bufferBegin)];
            if (last == LINE_FEED) {
                long end = searched - 1;
                boolean hasReturn = before == CARRIAGE_RETURN && end > position;
                byte[] line = bytes(position, hasReturn ? end - 1 : end);
                position = searched;
                return line;
            }
        }
        return null;
    }

    /** Says whether there are bytes behind the last line feed, once there is no next line. */
    boolean hasRest() {
        return searched > position;
    }

    private boolean fill() throws IOException {
        file.seek(searched);
        int count = Math.max(0, file.read(buffer));
        bufferBegin = searched;
        bufferEnd = searched + count;
        return count > 0;
    }

    private byte[] bytes(long begin, long end) throws IOException {
        byte[] bytes = new byte[(int) Math.min(end - begin, MOST_BYTES)];
        if (begin >= bufferBegin) {
            System.arraycopy(buffer, (int) (begin - bufferBegin), bytes, 0, bytes.length);
        } else {
            file.seek(begin);
            file.readFully(bytes);
            checkIsOneLine(bytes);
            byte[] rest = new byte[BUFFER_BYTES];
            for (long left = end - begin - bytes.length; left > 0; left -= rest.length) {
                if (left < rest.length) {
                    rest = new byte[(int) left];
                }
                file.readFully(rest);
                checkIsOneLine(rest);
            }
        }
        return bytes;
    }

    /** A till may take half a line back between two reads; then nothing of it may be given out. */
    private static void checkIsOneLine(byte[] bytes) throws IOException {
        for (byte each : bytes) {
            if (each == LINE_FEED) {
                throw new IOException("the file was changed while a line was read");
            }
        }
    }
}
