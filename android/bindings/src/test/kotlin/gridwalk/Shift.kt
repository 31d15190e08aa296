package gridwalk

import java.io.ByteArrayOutputStream
import java.awt.Color
import java.awt.image.BufferedImage
import javax.imageio.ImageIO
import kotlin.random.Random
import kotlinx.coroutines.runBlocking

/**
 * A process that works on a phone's store, says what it did, and is then killed by its test in the middle of the work.
 * Arguments: the store's folder, the record of a grid.
 */
object Shift {
    @JvmStatic
    fun main(arguments: Array<String>) = runBlocking {
        val (folder, area) = arguments
        val device = opened(folder)
        device.setNetwork(false, false)
        var number = 0
        while (true) {
            number += 1
            println(device.createRecord("dwelling", dwelling(area, "${number}室")))
            System.out.flush()
        }
    }

    /** Starts the process. */
    fun start(folder: String, area: String): Process =
        ProcessBuilder(
                System.getProperty("java.home") + "/bin/java",
                "-Djna.library.path=" + System.getProperty("jna.library.path"),
                "-cp",
                System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path"),
                "gridwalk.Shift",
                folder,
                area,
            )
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start()
}

/** A made-up photo: coloured blocks, different for each seed. */
fun picture(seed: Int): ByteArray {
    val dice = Random(seed)
    val image = BufferedImage(640, 480, BufferedImage.TYPE_INT_RGB)
    val brush = image.createGraphics()
    for (x in 0 until 640 step 32) {
        for (y in 0 until 480 step 32) {
            brush.color = Color(dice.nextInt(0x1000000))
            brush.fillRect(x, y, 32, 32)
        }
    }
    brush.dispose()
    return ByteArrayOutputStream().also { ImageIO.write(image, "jpeg", it) }.toByteArray()
}
