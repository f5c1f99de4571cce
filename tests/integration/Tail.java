import java.io.BufferedReader;
import java.io.File;
import java.io.FileReader;
import java.io.InputStreamReader;
import java.math.BigInteger;
import java.security.MessageDigest;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import com.google.common.collect.HashBasedTable;
import org.apache.flume.Context;
import org.apache.flume.Event;
import org.apache.flume.interceptor.Interceptor;
import org.apache.flume.interceptor.SearchAndReplaceInterceptor;
import org.apache.flume.source.taildir.ReliableTaildirEventReader;
import org.apache.flume.source.taildir.TailFile;

/**
 * Flume's reader of a folder's *.log files, told what to do by lines on stdin; its lines go through
 * the interceptor `cut` of the agent's configuration. Arguments: the folder, the position file, the
 * configuration.
 *
 * <p>"read N": what is new, in batches of N, each committed; "peek N": one batch of each file, not
 * committed; "rest N": as read, as Flume does before it closes an idle file; "folder N": as read,
 * after a folder was opened as if it were a file; "since" gives "NAME TIME", when a file was last
 * used, epoch ms. Each line of a file comes as
 * "NAME OFFSET BODY", the body as hex digits, or its SHA-256 when it is long; "positions" gives
 * "NAME POSITION". A dot ends each answer.
 */
public class Tail {
    private static final int LONG_BYTES = 200;
    private static final String CUT = "loyalty.sources.tills.interceptors.cut.";
    private static Interceptor cut;

    public static void main(String[] arguments) throws Exception {
        cut = cut(arguments[2]);
        ReliableTaildirEventReader reader = new ReliableTaildirEventReader.Builder()
            .filePaths(Map.of("logs", arguments[0] + "/.*\\.log"))
            .headerTable(HashBasedTable.create())
            .positionFilePath(arguments[1])
            .addByteOffset(true)
            .annotateFileName(true)
            .build();
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in));
        for (String order; (order = orders.readLine()) != null; ) {
            String[] words = order.split(" ");
            reader.updateTailFiles();
            if (words[0].equals("folder")) {
                File folder = new File(arguments[0]);
                TailFile file = new TailFile(folder, Map.of(), 1, 0);
                reader.getTailFiles().put(1L, file);
                reader.setCurrentFile(file);
                answer(reader, "read", Integer.parseInt(words[1]));
                reader.getTailFiles().remove(1L);
            }
            Map<String, TailFile> files = new TreeMap<>();
            reader.getTailFiles().values().forEach(file -> files.put(file.getPath(), file));
            for (TailFile file : files.values()) {
                if (words[0].equals("since")) {
                    System.out.println(name(file.getPath()) + " " + file.getLastUpdated());
                } else if (words[0].equals("positions")) {
                    System.out.println(name(file.getPath()) + " " + file.getPos());
                } else if (file.needTail()) {
                    reader.setCurrentFile(file);
                    answer(reader, words[0], Integer.parseInt(words[1]));
                }
            }
            System.out.println(".");
        }
    }

    private static void answer(ReliableTaildirEventReader reader, String verb, int most)
            throws Exception {
        List<Event> events;
        do {
            events = reader.readEvents(most, !verb.equals("rest"));
            for (Event event : cut.intercept(events)) {
                Map<String, String> headers = event.getHeaders();
                System.out.println(name(headers.get("file")) + " " + headers.get("byteoffset")
                    + " " + shown(event.getBody()));
            }
            if (verb.equals("peek")) {
                return;
            }
            reader.commit();
        } while (!events.isEmpty());
    }

    private static Interceptor cut(String configuration) throws Exception {
        Properties properties = new Properties();
        try (FileReader file = new FileReader(configuration)) {
            properties.load(file);
        }
        Context context = new Context();
        properties.forEach((key, value) -> context.put(key.toString(), value.toString()));
        SearchAndReplaceInterceptor.Builder builder = new SearchAndReplaceInterceptor.Builder();
        builder.configure(new Context(context.getSubProperties(CUT)));
        return builder.build();
    }

    /** The name of a file on one line: its blanks and line ends are written as _. */
    private static String name(String path) {
        return path.substring(path.lastIndexOf('/') + 1).replaceAll("\\s", "_");
    }

    private static String shown(byte[] body) throws Exception {
        byte[] bytes = body.length > LONG_BYTES
            ? MessageDigest.getInstance("SHA-256").digest(body) : body;
        return bytes.length == 0 ? "-" : String.format(
            "%0" + 2 * bytes.length + "x", new BigInteger(1, bytes));
    }
}
